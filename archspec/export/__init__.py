"""A trained network as a file for another runtime, with a certificate of its measurements.

modules      the network as trained, and folded for inference
taken        the input of a file: normalized numbers, or images that the file normalizes
data         images to calibrate and to evaluate with
graph        the folded network as ONNX, for OpenVINO, and for torch, compiled or not
int8         the ONNX model in 8 bits, by static calibration
measure      error, accuracy, time, and size, compared with the trained network
certificate  the measurements as JSON and as a table
order        one export, from its options to the file and the certificate
"""

from __future__ import annotations

from archspec.export.certificate import Certificate as Certificate
from archspec.export.order import (
    ExportError as ExportError,
    Order as Order,
    Rejected as Rejected,
    exported as exported,
)

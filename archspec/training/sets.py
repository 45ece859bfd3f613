"""Facts about published data sets for scripts: location, format, and statistics."""

from __future__ import annotations

from collections.abc import Mapping

from archspec.language.train import DATA_SETS
from archspec.records import Record

IDX = tuple(
    f"{part}-{what}-idx{rank}-ubyte.gz"
    for part in ("train", "t10k")
    for what, rank in (("images", 3), ("labels", 1))
)


CIFAR10 = "cifar-10-binary.tar.gz"


class Published(Record):
    """Files by their SHA-256, of the uncompressed content or of the files themselves.

    `mean` and `std` are those of the training images, per channel, for bytes from 0 to 255.
    """

    folders: tuple[str, ...]
    url: str
    digests: Mapping[str, str]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    names: tuple[str, ...]


def _idx(*digests: str) -> dict[str, str]:
    return dict(zip(IDX, digests, strict=True))


PUBLISHED: Mapping[str, Published] = {
    "fashion_mnist": Published(
        ("data/fashion_mnist", "/usr/share/datasets/fashion-mnist"),  # the second is Debian's
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        _idx(
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        ),
        (72.94,),
        (90.02,),
        tuple("T-shirt Trouser Pullover Dress Coat Sandal Shirt Sneaker Bag Boot".split()),
    ),
    "mnist": Published(
        ("data/mnist",),
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        _idx(
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
        (33.32,),
        (78.57,),
        tuple("0123456789"),
    ),
    "kmnist": Published(
        ("data/kmnist",),
        "http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
        _idx(  # of the compressed files: only those were published
            "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
            "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
            "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
            "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
        ),
        (48.91,),
        (88.82,),
        tuple("o ki su tsu na ha ma ya re wo".split()),
    ),
    "cifar10": Published(
        ("data/cifar10",),
        "https://www.cs.toronto.edu/~kriz/",
        {CIFAR10: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"},
        (125.31, 122.95, 113.87),
        (62.99, 62.09, 66.7),
        tuple("airplane automobile bird cat deer dog frog horse ship truck".split()),
    ),
}

IMAGENET_MEAN, IMAGENET_STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)


def statistics(data: str, channels: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of a data set's images as bytes, per channel."""
    if published := PUBLISHED.get(data):
        return published.mean, published.std
    if DATA_SETS[data].kind == "folder":
        return IMAGENET_MEAN, IMAGENET_STD
    return (127.0,) * channels, (52.0,) * channels

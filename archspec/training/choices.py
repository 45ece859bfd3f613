"""The lines of a script that its recipe determines, ready to print."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from textwrap import wrap

from archspec.analysis import analyze_network
from archspec.codegen.docstrings import docstring
from archspec.codegen.layout import STEP, WIDTH, CallText
from archspec.codegen.view import own_imports, wrapped
from archspec.ir.classes import Network
from archspec.language import Spec
from archspec.language.train.places import Places
from archspec.training import steps
from archspec.training.data import SUFFIXES, Data
from archspec.training.lines import lines_of, literal
from archspec.training.options import options
from archspec.training.steps import unindented

COLUMNS = "step,epoch,lr,train_loss,val_loss,val_{0},test_loss,test_{0},images_per_second,seconds"


class Choices:
    """Everything that the template prints. A property is the lines at one location in it."""

    def __init__(
        self,
        spec: Spec,
        network: Network,
        source: Sequence[str] = (),
        asked: Collection[str] = (),
    ) -> None:
        assert spec.train is not None
        self.asked = asked  # the requested options
        self.spec, self.ir, self.recipe = spec, network, spec.train
        self.network_source = source
        self.name, self.class_name = spec.name, network.root.name
        self.analysis = analyze_network(network.tree)
        self.target = self.analysis.output
        self.trained = network.tree.training or network.tree.outputs
        self.places = Places(network.tree)
        self.lines = lines_of(self.recipe, self.places)
        self.data = Data(self.recipe, self.lines, self.places.input, self.target[0], asked)

    @property
    def doc(self) -> list[str]:
        title = f"Train {self.class_name} on {self.data.known.title}."
        script = f"train_{self.name}.py"
        text = (
            f"\n    python {script} --resume auto\n    torchrun --nproc-per-node 8 {script} "
            "--resume auto\n\nThe first command uses one GPU or the CPU, the second eight GPUs; "
            "run it again to resume.\nEverything random is a function of seed, epoch, and step: "
            "an interrupted run ends with the\nsame weights, bit for bit on a CPU.\n\n"
            "First come `learning_rate`, `options`, `main`, and `train` with its `step`; the "
            "functions\nthat they call are below."
        )
        return docstring([title, *text.splitlines()], "")

    @property
    def imports(self) -> list[str]:
        """The imports of the network's classes, if the classes are in this file."""
        lines = own_imports(self.ir) if self.network_source else []
        return [part for line in lines for part in wrapped(line, STEP)]

    @property
    def schedule_doc(self) -> str:
        return steps.schedule_words(self.recipe)

    @property
    def schedule(self) -> list[str]:
        return list(steps.schedule(self.recipe))

    @property
    def condition(self) -> str:
        return " and ".join(['run["step"] < steps', *self.lines["while"]])

    @property
    def rate(self) -> str:
        """The learning rate of a group of parameters."""
        return " * ".join(["lr", *self.lines["rate"]])

    @property
    def score(self) -> str:
        return "r2" if self.recipe.of_values else "accuracy"

    @property
    def options(self) -> list[str]:
        return list(options(self.recipe, self.data))

    # Data, network, optimizer -------------------------------------------------------------

    @property
    def downloads(self) -> bool:
        return self.data.published is not None

    @property
    def where(self) -> str:
        """The value of `--data`."""
        return "a torch.save file" if self.recipe.data == "tensors" else "data directory"

    @property
    def network(self) -> list[str]:
        made = [f"net = {self.class_name}().to(device)"]
        if len(self.spec.input) == 3:
            like = "convert_conv2d_weight_memory_format(net, torch.channels_last)"
            made.append(f"nn.utils.{like}")
        return [*made, *self.lines["network"], *steps.optimizer(self.recipe, self.lines)]

    # A step, an evaluation, the end -------------------------------------------------------

    @property
    def given(self) -> str:
        """The network's outputs in training."""
        return "outputs" if len(self.trained) > 1 else "scores"

    @property
    def loss(self) -> list[str]:
        return steps.loss(self.recipe, self.lines, len(self.trained) > 1)

    @property
    def validates(self) -> bool:
        """Whether weights are selected, with samples that are not trained on."""
        return self.recipe.validation > 0

    @property
    def evaluate(self) -> list[str]:
        data = self.data
        kind = "classes" if data.classes else "values" if self.score == "r2" else "labels"
        net = "lambda x: net(x)[0]" if len(self.ir.tree.outputs) > 1 else "net"
        for around in self.lines["judge"]:
            net = f"partial({around}, {net})"
        call = unindented(CallText(f"evaluate_{kind}", (net, "feed", "device")), "result = ", 3)
        judge = ("net.eval()", "with autocast():", *(STEP + line for line in call))
        return [*data.part(STEP * 2), *judge, "net.train()", "return result"]

    @property
    def judged(self) -> str:
        """The network to evaluate."""
        return next(iter(self.lines["evaluated"]), "net")

    @property
    def evaluates(self) -> str:
        """When the network is evaluated and `log.csv` written."""
        return "judged" if self.validates else "ends"

    @property
    def looks(self) -> list[str]:
        """The lines of an evaluation during training, if there are any."""
        return list(self._looks())

    def _looks(self) -> Iterator[str]:
        if self.validates:
            yield f'val_loss, score, _ = evaluate({self.judged}, "val")'
            yield "if not math.isfinite(val_loss):"
            yield "    val_loss = score = math.nan  # so that it is never the best"
            warning = "warning: at step {run['step']:,} the val loss is not finite"
            yield f'    show(f"{warning}")'
            yield f'row |= {{"val_loss": val_loss, "val_{self.score}": score}}'
            score = self.scored("score")
            yield f'text += f"val {{val_loss:.4f}}  {score}  "'
        yield from self.lines["row"]
        yield from (f'text += f"{part}  "' for part in self.lines["shown"])

    @property
    def result(self) -> Iterator[str]:
        """The final evaluation, of the test set if there is one."""
        always = self.data.published is not None
        part = '"test"' if always else "part"
        if not always:
            yield 'part = "test" if "test" in data else "val"'
        yield f"found, score, table = evaluate(chosen, {part})"
        yield f'run["result"] = [*{self.report}]'
        if self.validates:
            best = self.scored("run['best']")
            yield 'if run["best_step"]:'
            yield f'    text = f"best val {best}: step {{at:,}}, in best.pt"'
            yield '    run["result"].append(text)'
        if not always:
            yield 'if part == "test":'
        indent = "" if always else STEP
        yield f'{indent}row = next(row for row in run["rows"] if row["step"] == at)'
        yield f'{indent}row |= {{"test_loss": found, "test_{self.score}": score}}'
        if "tensorboard" in self.asked:
            yield f"{indent}curves(writer, [row])"
        tested = f"test {self.scored('score')}: {{file}}, read once"
        yield f'{indent}run["result"].append(f"{tested}")'

    def scored(self, number: str) -> str:
        """A score in an f-string."""
        return f"R^2 {{{number}:.4f}}" if self.score == "r2" else f"accuracy {{{number}:.2%}}"

    @property
    def report(self) -> str:
        """The lines about each class or output."""
        return f"per_class(table, {self.data.names})" if self.data.classes else "per_output(table)"

    # Constants ----------------------------------------------------------------------------

    def constants(self, spec: str) -> Iterator[tuple[str, str]]:
        """Name -> line, in order; a script has those that it uses."""
        data, published, weights = self.data, self.data.published, self.recipe.loss_weights
        mean, std = data.statistics
        columns = ",".join([COLUMNS.format(self.score), *self.lines["column"]])
        yield "NAME", f'NAME = "{self.name}"'
        yield "SPEC", f'SPEC = "{spec}"  # the hash of network and script'
        yield "INPUT", f"INPUT = {literal(data.input)}"
        yield "OUTPUTS", f"OUTPUTS = {data.outputs}"
        target = () if data.classes else self.target
        yield "TARGET", f"TARGET: tuple[int, ...] = {literal(target) if target else '()'}"
        yield "TARGETS", f"TARGETS = {data.targets}  # type, minimum, maximum"
        yield "MEAN", f"MEAN, STD = {list(mean)}, {list(std)}  # of bytes"
        yield "COLUMNS", f'COLUMNS = "{columns}"'
        if published is None:
            yield "FOLDERS", f'FOLDERS = ("data/{self.recipe.data}",)'
        else:
            yield "CLASSES", f'CLASSES = "{" ".join(published.names)}"'
            yield "FOLDERS", f"FOLDERS = {literal(published.folders)}"
            yield "URL", f'URL = "{published.url}"'
            digests = "\n".join(f'    "{k}": "{v}",' for k, v in published.digests.items())
            yield "DIGESTS", "DIGESTS = {\n" + digests + "\n}"
        yield "SUFFIXES", f"SUFFIXES = {literal(SUFFIXES)}"
        yield "LOSS_WEIGHTS", _weights({n: float(weights.get(n, 1)) for n in self.trained})
        yield "RESIDUALS", _listed("RESIDUALS", [str(path) for _, path in self.places.residuals])
        yield "STAGES", _listed("STAGES", self.places.stages)
        yield "RANK", 'RANK = int(os.environ.get("RANK", "0"))'
        yield "WORLD", 'WORLD = int(os.environ.get("WORLD_SIZE", "1"))'
        yield "LEASE", "LEASE = 150  # seconds that the lock of a lost machine may last"
        yield "signals", "signals: list[tuple[int, float]] = []  # number and time"


def _weights(weights: Mapping[str, float]) -> str:
    """The weights of the outputs in the loss, in the order of the outputs."""
    pairs = [f'"{name}": {weight!r}' for name, weight in weights.items()]
    flat = f"LOSS_WEIGHTS = {{{', '.join(pairs)}}}"
    if len(flat) <= WIDTH:
        return flat
    return "\n".join(["LOSS_WEIGHTS = {", *(f"    {pair}," for pair in pairs), "}"])


def _listed(name: str, values: Sequence[str]) -> str:
    """Paths as one string, separated by spaces."""
    text = " ".join(values)
    if len(flat := f'{name} = "{text}"') <= WIDTH:
        return flat
    *lines, last = wrap(text, WIDTH - len(STEP) - 3, break_long_words=False)
    return "\n".join(
        [f"{name} = (", *(f'{STEP}"{line} "' for line in lines), f'{STEP}"{last}"', ")"]
    )

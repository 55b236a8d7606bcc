"""Check the whole of params.yaml, so that a bad value stops the pipeline before any training."""

from pathlib import Path

from study.command import run
from study.files import write_text
from study.params import ParamsError, did_you_mean
from study.paths import data_file
from study.validation import DATA_SETS, Study, read_study

VALID = Path("data/params_are_valid")


def main() -> None:
    study = read_study()
    if study.compute.device == "cuda":
        check_cuda()
    check_data(study)
    # The same bytes whatever the parameters: stages that depend on it wait for it, and are not
    # made out of date by it.
    write_text(VALID, "params.yaml passed stages.validate\n")


def check_data(study: Study) -> None:
    """Refuse an experiment on data that are not here and that no stage makes.

    Raises:
        ParamsError: there are none.
    """
    sections = [name for name in DATA_SETS if getattr(study, name) is not None]
    for name, experiment in study.experiments.items():
        path = data_file(experiment.data)
        if experiment.data in sections or not experiment.all_methods or path.exists():
            continue
        # DVC takes half a second, which others do not wait for
        from study.pipeline import makers_of

        if not makers_of(path):
            raise ParamsError(
                f"experiments.{name}.data: there is no {path}, and no stage that makes it"
                f"{did_you_mean(experiment.data, sections)}"
            )


def check_cuda() -> None:
    """Refuse to train on a GPU where there is none.

    Raises:
        ParamsError: PyTorch finds no CUDA device.
    """
    import torch  # a second and a half, which others do not wait for

    if not torch.cuda.is_available():
        raise ParamsError(
            f"compute.device is 'cuda', and PyTorch {torch.__version__} finds no such device here: "
            "choose 'cpu', or install a PyTorch built for your GPU"
        )


if __name__ == "__main__":
    run(main, __doc__)

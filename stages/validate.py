"""Check the whole of params.yaml, so that a bad value stops the pipeline before any training."""

from pathlib import Path

from study.command import run
from study.files import write_text
from study.params import ParamsError
from study.validation import read_study

VALID = Path("data/params_are_valid")


def main() -> None:
    if read_study().compute.device == "cuda":
        check_cuda()
    # The same bytes whatever the parameters: stages that depend on it wait for it, and are not
    # made out of date by it.
    write_text(VALID, "params.yaml passed stages.validate\n")


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

"""What the networks for images have in common."""

from collections.abc import Sequence


def check_image(shape: Sequence[int], smallest: int = 1) -> int:
    """Return C of the image shape (C, H, W).

    Raises:
        ValueError: ``shape`` is another one, or H or W is below ``smallest``.
    """
    if len(shape) != 3 or min(shape) < 1 or min(shape[1:]) < smallest:
        least = f" of at least {smallest} x {smallest} pixels" if smallest > 1 else ""
        raise ValueError(f"shape must be (C, H, W), an image{least}, got {tuple(shape)}")
    return shape[0]

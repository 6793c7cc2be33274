import numpy as np
from numpy.typing import NDArray

def instruction_sets() -> list[str]: ...
def correlate(
    reference: NDArray[np.float32],
    pyramid: list[NDArray[np.float32]],
    positions: NDArray[np.float32],
    correlation: NDArray[np.float32],
    radius: int,
    threads: int,
    instructions: str,
) -> None: ...
def backpropagate(
    reference: NDArray[np.float32],
    pyramid: list[NDArray[np.float32]],
    positions: NDArray[np.float32],
    gradient: NDArray[np.float32],
    reference_gradient: NDArray[np.float32],
    pyramid_gradient: list[NDArray[np.float32]],
    radius: int,
    threads: int,
    instructions: str,
) -> None: ...

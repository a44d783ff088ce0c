"""A support vector machine with a radial kernel, by Nystroem features so that it fits 30,000 rows."""

from sklearn.kernel_approximation import Nystroem
from sklearn.svm import LinearSVC

from solvent.modelling.candidates import Parameters
from solvent.modelling.candidates.pipeline import Peer


def _kernel(parameters: Parameters, features: int, rows: int, seed: int) -> Nystroem:
    return Nystroem(
        gamma=parameters["gamma"] / features, n_components=min(parameters["components"], rows), random_state=seed
    )


CANDIDATE = Peer(
    name="svm",
    grid=(
        {"C": 0.1, "gamma": 0.3, "components": 300},
        {"C": 0.01, "gamma": 0.3, "components": 300},
    ),
    make=lambda parameters, seed: LinearSVC(C=parameters["C"], random_state=seed),
    normal=True,
    kernel=_kernel,
)

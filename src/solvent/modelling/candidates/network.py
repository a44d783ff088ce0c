"""A neural network: one hidden layer on quantile-normal numbers and one-hot categories."""

from sklearn.neural_network import MLPClassifier

from solvent.modelling.candidates.pipeline import Peer

CANDIDATE = Peer(
    name="network",
    grid=(
        {"hidden_layer_sizes": [16], "alpha": 10.0},
        {"hidden_layer_sizes": [8], "alpha": 30.0},
    ),
    make=lambda parameters, seed: MLPClassifier(**parameters, solver="lbfgs", max_iter=100, random_state=seed),
    normal=True,
    bounded=True,  # the penalty settles the rest
)

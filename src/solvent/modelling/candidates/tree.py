"""A decision tree, small enough to be read."""

from sklearn.tree import DecisionTreeClassifier

from solvent.modelling.candidates.pipeline import Peer

CANDIDATE = Peer(
    name="tree",
    grid=(
        {"max_depth": 5, "min_samples_leaf": 0.02},
        {"max_depth": 4, "min_samples_leaf": 0.01},
        {"max_depth": 6, "min_samples_leaf": 0.01},
    ),
    make=lambda parameters, seed: DecisionTreeClassifier(**parameters, random_state=seed),
    normal=False,
)

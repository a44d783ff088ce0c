"""A random forest."""

from sklearn.ensemble import RandomForestClassifier

from solvent.modelling.candidates.pipeline import Peer

CANDIDATE = Peer(
    name="forest",
    grid=(
        {"n_estimators": 300, "min_samples_leaf": 3, "max_features": "sqrt"},
        {"n_estimators": 300, "min_samples_leaf": 10, "max_features": "sqrt"},
    ),
    make=lambda parameters, seed: RandomForestClassifier(**parameters, n_jobs=1, random_state=seed),
    normal=False,
)

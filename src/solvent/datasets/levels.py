"""The synthetic portfolio's categories: each level's share, and its weight in the log-odds of default."""

import numpy as np

from solvent.datasets.files import Array, Typed

OF_CUSTOMER: dict[str, dict[str, tuple[float, float]]] = {
    "employment_since": {
        "unemployed": (0.06, 0.4),
        "below_1_year": (0.17, 0.3),
        "1_to_4_years": (0.34, 0.0),
        "4_to_7_years": (0.17, -0.3),
        "7_years_or_more": (0.26, -0.1),
    },
    "housing": {
        "rent": (0.18, 0.2),
        "own": (0.71, -0.1),
        "free": (0.11, 0.2),
    },
    "property": {
        "real_estate": (0.28, -0.3),
        "savings_agreement_or_life_insurance": (0.23, 0.0),
        "car_or_other": (0.33, 0.0),
        "unknown_or_none": (0.16, 0.3),
    },
    "job": {
        "unskilled_non_resident": (0.02, 0.1),
        "unskilled_resident": (0.2, 0.0),
        "skilled": (0.63, 0.0),
        "highly_qualified": (0.15, 0.0),
    },
    "telephone": {
        "not_registered": (0.6, 0.05),
        "registered": (0.4, -0.05),
    },
}
OF_LOAN: dict[str, dict[str, tuple[float, float]]] = {
    "checking_status": {
        "below_0": (0.26, 0.9),
        "0_to_200": (0.27, 0.4),
        "200_or_more": (0.08, -0.3),
        "no_account": (0.39, -0.8),
    },
    "credit_history": {
        "no_credits": (0.05, 0.8),
        "all_paid_here": (0.05, 0.7),
        "paid_so_far": (0.52, 0.1),
        "past_delay": (0.09, 0.3),
        "critical": (0.29, -0.5),
    },
    "savings": {
        "below_100": (0.59, 0.25),
        "100_to_500": (0.11, 0.1),
        "500_to_1000": (0.07, -0.2),
        "1000_or_more": (0.05, -0.7),
        "unknown_or_none": (0.18, -0.4),
    },
    "purpose": {
        "car_new": (0.22, 0.25),
        "car_used": (0.11, -0.6),
        "furniture": (0.19, 0.1),
        "radio_tv": (0.27, -0.2),
        "appliances": (0.02, 0.0),
        "repairs": (0.02, 0.1),
        "education": (0.05, 0.4),
        "retraining": (0.01, -0.2),
        "business": (0.1, 0.1),
        "other": (0.01, 0.0),
    },
    "other_debtors": {
        "none": (0.91, 0.0),
        "co_applicant": (0.04, 0.2),
        "guarantor": (0.05, -0.4),
    },
    "other_installment_plans": {
        "bank": (0.14, 0.3),
        "stores": (0.05, 0.3),
        "none": (0.81, -0.1),
    },
}


def draw(
    levels: dict[str, dict[str, tuple[float, float]]], size: int, generator: np.random.Generator
) -> tuple[Typed, Array]:
    """A level per column and row, and the rows' sums of weights."""
    values: Typed = {}
    risk = np.zeros(size)
    for name, of_column in levels.items():
        shares = np.array([share for share, _ in of_column.values()])
        drawn = generator.choice(len(of_column), size, p=shares / shares.sum())
        values[name] = np.array(list(of_column))[drawn]
        risk += np.array([weight for _, weight in of_column.values()])[drawn]
    return values, risk

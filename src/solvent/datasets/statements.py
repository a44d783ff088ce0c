"""Statements of companies over the years, driven by a latent health that no column shows.

Amounts in thousands, whole numbers; a balance sheet balances. All tables are grids of shape (companies, years).
"""

from dataclasses import dataclass

import numpy as np

from solvent.datasets.files import Array, Typed

YEARS = np.arange(2014, 2026)
_FAILURES = 0.045  # share of company-years that are followed by a filing within the year after their publication


@dataclass(frozen=True)
class Grid:
    """`items`: statement items. `health`: latent, about N(0, 1). `probability`: of a filing within 12 months."""

    items: Typed
    health: Array
    probability: Array


def simulate(size: int, generator: np.random.Generator) -> Grid:
    """Statements of `size` companies for each of YEARS, as if none ever failed."""
    shape = (size, len(YEARS))
    health = _health(shape, generator)
    items = _round(_items(health, shape, generator))
    sheet = {name: items[name] for name in ("total_assets", "total_liabilities", "net_profit", "cash")}
    with np.errstate(invalid="ignore", divide="ignore"):
        leverage = np.clip(sheet["total_liabilities"] / sheet["total_assets"], 0, 1.5)
        liquidity = items["current_assets"] / np.maximum(items["short_term_liabilities"], 1)
        return_on_assets = np.clip(sheet["net_profit"] / sheet["total_assets"], -0.5, 0.5)
    # What the statement shows, the health that it does not, and bad luck.
    logit = 2.6 * leverage - 6.0 * return_on_assets - 0.35 * np.log(np.clip(liquidity, 0.05, 20)) - 1.1 * health
    return Grid(items, health, _calibrated(1.3 * logit + generator.normal(0, 0.5, shape)))


def _health(shape: tuple[int, int], generator: np.random.Generator) -> Array:
    """An autoregressive state per company, and a crisis in two years that all feel."""
    state = generator.normal(0, 1, shape[0])
    crisis = np.isin(YEARS, (2019, 2023)) * 0.35
    health = np.empty(shape)
    for year in range(shape[1]):
        health[:, year] = state - crisis[year]
        state = 0.8 * state + generator.normal(0, 0.6, shape[0])
    return health


def _items(health: Array, shape: tuple[int, int], generator: np.random.Generator) -> Typed:
    def noise(scale: float) -> Array:
        return generator.normal(0, scale, shape)

    def habit(scale: float) -> Array:
        return generator.normal(0, scale, (shape[0], 1))  # what a company keeps over the years

    growth = 0.02 + 0.03 * health + noise(0.07)
    total_assets = np.exp(np.log(20_000) + habit(1.2) + np.cumsum(growth, axis=1))
    current_share = np.clip(0.5 + habit(0.14) + noise(0.03), 0.1, 0.92)
    current_assets, fixed_assets = total_assets * current_share, total_assets * (1 - current_share)
    leverage = 0.12 + 0.8 / (1 + np.exp(-(0.1 - 0.5 * health + habit(0.6) + noise(0.25))))
    leverage += np.maximum(-health - 1.4, 0) * 0.18
    total_liabilities = total_assets * leverage
    short_share = np.clip(0.62 - 0.04 * health + habit(0.12) + noise(0.05), 0.15, 0.95)
    sales = total_assets * np.exp(0.25 + habit(0.4) + noise(0.1))
    margin = 0.045 + 0.03 * health + habit(0.02) + noise(0.025)
    profit_on_sales = sales * margin
    selling_costs = sales * np.clip(0.14 + habit(0.05), 0.03, 0.4)
    depreciation = fixed_assets * np.clip(0.08 + habit(0.02), 0.03, 0.15)
    operating_profit = profit_on_sales + sales * noise(0.006)
    interest = total_liabilities * np.clip(0.035 - 0.005 * health + noise(0.006), 0.005, 0.12)
    financial_expenses = interest * (1 + np.abs(noise(0.2)))
    extraordinary = np.where(generator.random(shape) < 0.06, sales * noise(0.02), 0.0)
    gross_profit = operating_profit - financial_expenses + extraordinary
    parts = [
        np.clip(0.13 + 0.05 * health + noise(0.05), 0.01, 0.5),
        np.clip(noise(0.02), 0, 0.1),
        np.clip(0.36 + habit(0.1) + noise(0.04), 0.05, 0.7),
        np.clip(0.3 + habit(0.12) - 0.02 * health + noise(0.04), 0.02, 0.7),
    ]
    whole = sum(parts) + 0.04
    cash, securities, receivables, inventory = (current_assets * part / whole for part in parts)
    share_capital = np.broadcast_to(total_assets[:, :1] * np.clip(0.12 + habit(0.05), 0.02, 0.3), shape)
    equity = total_assets - total_liabilities
    return {
        "sales": sales,
        "total_sales": sales * (1.01 + np.abs(noise(0.02))),
        "cost_of_products_sold": sales - profit_on_sales - selling_costs,
        "operating_expenses": sales - profit_on_sales,
        "depreciation": depreciation,
        "profit_on_sales": profit_on_sales,
        "operating_profit": operating_profit,
        "extraordinary_items": extraordinary,
        "financial_expenses": financial_expenses,
        "interest": interest,
        "ebit": gross_profit + interest,
        "gross_profit": gross_profit,
        "net_profit": gross_profit - 0.2 * np.maximum(gross_profit, 0),
        "cash": cash,
        "short_term_securities": securities,
        "receivables": receivables,
        "inventory": inventory,
        "current_assets": current_assets,
        "fixed_assets": fixed_assets,
        "short_term_liabilities": total_liabilities * short_share * 0.97,
        "long_term_liabilities": total_liabilities * (1 - short_share) * 0.97,  # the rest are provisions
        "total_liabilities": total_liabilities,
        "share_capital": share_capital,
        "retained_earnings": equity - share_capital * 1.1,
    }


def _round(items: Typed) -> Typed:
    """Whole thousands, and the sums that a statement must keep."""
    whole = {name: np.round(values) for name, values in items.items()}
    whole["total_assets"] = whole["current_assets"] + whole["fixed_assets"]
    whole["equity"] = whole["total_assets"] - whole["total_liabilities"]
    whole["total_costs"] = whole["total_sales"] - whole["gross_profit"]
    return whole


def _calibrated(logit: Array) -> Array:
    """Probabilities whose mean is the portfolio's rate of failures (bisection on the intercept)."""
    low, high = -30.0, 30.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if np.mean(1 / (1 + np.exp(-logit - middle))) < _FAILURES else (low, middle)
    return 1 / (1 + np.exp(-logit - low))

"""The 64 ratios of UCI 365 as an analyst calculates them, with numpy; formulas: contract accounting_ratios.

For the generator: the ETL has its own, in sql/etl/bankruptcy/40_recomputed_ratios.sql, and tests compare the two.
"""

from collections.abc import Mapping

import numpy as np

from solvent.datasets.files import Array


def compute(s: Mapping[str, Array]) -> dict[str, Array]:
    """Name -> values of one shape, NaN where an item is absent or a denominator is 0.

    `s`: the statement's items by the names of contract company_financials, and `previous_sales`,
    `previous_gross_profit`, `gross_profit_before_previous`, all of one shape.
    """

    def over(numerator: Array, denominator: Array) -> Array:
        return numerator / np.where(denominator == 0, np.nan, denominator)

    working_capital = s["current_assets"] - s["short_term_liabilities"]
    constant_capital = s["equity"] + s["long_term_liabilities"]
    gross_cash_flow = s["gross_profit"] + s["depreciation"]
    with np.errstate(invalid="ignore"):
        log_total_assets = np.log10(np.where(s["total_assets"] > 0, s["total_assets"], np.nan))
    return {
        "net_profit_to_total_assets": over(s["net_profit"], s["total_assets"]),
        "total_liabilities_to_total_assets": over(s["total_liabilities"], s["total_assets"]),
        "working_capital_to_total_assets": over(working_capital, s["total_assets"]),
        "current_ratio": over(s["current_assets"], s["short_term_liabilities"]),
        "defensive_interval_days": over(
            (s["cash"] + s["short_term_securities"] + s["receivables"] - s["short_term_liabilities"]) * 365,
            s["operating_expenses"] - s["depreciation"],
        ),
        "retained_earnings_to_total_assets": over(s["retained_earnings"], s["total_assets"]),
        "ebit_to_total_assets": over(s["ebit"], s["total_assets"]),
        "equity_to_total_liabilities": over(s["equity"], s["total_liabilities"]),
        "sales_to_total_assets": over(s["sales"], s["total_assets"]),
        "equity_to_total_assets": over(s["equity"], s["total_assets"]),
        "gross_profit_extraordinary_financial_to_total_assets": over(
            s["gross_profit"] + s["extraordinary_items"] + s["financial_expenses"], s["total_assets"]
        ),
        "gross_profit_to_short_term_liabilities": over(s["gross_profit"], s["short_term_liabilities"]),
        "gross_profit_depreciation_to_sales": over(gross_cash_flow, s["sales"]),
        "gross_profit_interest_to_total_assets": over(s["gross_profit"] + s["interest"], s["total_assets"]),
        "liabilities_to_gross_cash_flow_days": over(s["total_liabilities"] * 365, gross_cash_flow),
        "gross_cash_flow_to_total_liabilities": over(gross_cash_flow, s["total_liabilities"]),
        "total_assets_to_total_liabilities": over(s["total_assets"], s["total_liabilities"]),
        "gross_profit_to_total_assets": over(s["gross_profit"], s["total_assets"]),
        "gross_profit_to_sales": over(s["gross_profit"], s["sales"]),
        "inventory_days_of_sales": over(s["inventory"] * 365, s["sales"]),
        "sales_growth": over(s["sales"], s["previous_sales"]),
        "operating_profit_to_total_assets": over(s["operating_profit"], s["total_assets"]),
        "net_profit_to_sales": over(s["net_profit"], s["sales"]),
        "gross_profit_three_years_to_total_assets": over(
            s["gross_profit"] + s["previous_gross_profit"] + s["gross_profit_before_previous"], s["total_assets"]
        ),
        "equity_less_share_capital_to_total_assets": over(s["equity"] - s["share_capital"], s["total_assets"]),
        "net_cash_flow_to_total_liabilities": over(s["net_profit"] + s["depreciation"], s["total_liabilities"]),
        "operating_profit_to_financial_expenses": over(s["operating_profit"], s["financial_expenses"]),
        "working_capital_to_fixed_assets": over(working_capital, s["fixed_assets"]),
        "log_total_assets": log_total_assets,
        "liabilities_less_cash_to_sales": over(s["total_liabilities"] - s["cash"], s["sales"]),
        "gross_profit_interest_to_sales": over(s["gross_profit"] + s["interest"], s["sales"]),
        "current_liabilities_days_of_cost": over(s["short_term_liabilities"] * 365, s["cost_of_products_sold"]),
        "operating_expenses_to_short_term_liabilities": over(s["operating_expenses"], s["short_term_liabilities"]),
        "operating_expenses_to_total_liabilities": over(s["operating_expenses"], s["total_liabilities"]),
        "profit_on_sales_to_total_assets": over(s["profit_on_sales"], s["total_assets"]),
        "total_sales_to_total_assets": over(s["total_sales"], s["total_assets"]),
        "quick_assets_to_long_term_liabilities": over(s["current_assets"] - s["inventory"], s["long_term_liabilities"]),
        "constant_capital_to_total_assets": over(constant_capital, s["total_assets"]),
        "profit_on_sales_to_sales": over(s["profit_on_sales"], s["sales"]),
        "cash_ratio": over(s["current_assets"] - s["inventory"] - s["receivables"], s["short_term_liabilities"]),
        "liabilities_to_operating_cash_flow": over(
            s["total_liabilities"] * 12, (s["operating_profit"] + s["depreciation"]) * 365
        ),
        "operating_profit_to_sales": over(s["operating_profit"], s["sales"]),
        "receivables_and_inventory_days": over((s["receivables"] + s["inventory"]) * 365, s["sales"]),
        "receivables_days": over(s["receivables"] * 365, s["sales"]),
        "net_profit_to_inventory": over(s["net_profit"], s["inventory"]),
        "quick_ratio": over(s["current_assets"] - s["inventory"], s["short_term_liabilities"]),
        "inventory_days_of_cost": over(s["inventory"] * 365, s["cost_of_products_sold"]),
        "operating_profit_less_depreciation_to_total_assets": over(
            s["operating_profit"] - s["depreciation"], s["total_assets"]
        ),
        "operating_profit_less_depreciation_to_sales": over(s["operating_profit"] - s["depreciation"], s["sales"]),
        "current_assets_to_total_liabilities": over(s["current_assets"], s["total_liabilities"]),
        "short_term_liabilities_to_total_assets": over(s["short_term_liabilities"], s["total_assets"]),
        "short_term_liabilities_to_cost": over(s["short_term_liabilities"], s["cost_of_products_sold"]),
        "equity_to_fixed_assets": over(s["equity"], s["fixed_assets"]),
        "constant_capital_to_fixed_assets": over(constant_capital, s["fixed_assets"]),
        "working_capital": working_capital,
        "gross_margin": over(s["sales"] - s["cost_of_products_sold"], s["sales"]),
        "net_profit_to_equity": over(s["net_profit"], s["equity"]),
        "total_costs_to_total_sales": over(s["total_costs"], s["total_sales"]),
        "long_term_liabilities_to_equity": over(s["long_term_liabilities"], s["equity"]),
        "inventory_turnover": over(s["sales"], s["inventory"]),
        "receivables_turnover": over(s["sales"], s["receivables"]),
        "short_term_liabilities_days_of_sales": over(s["short_term_liabilities"] * 365, s["sales"]),
        "sales_to_short_term_liabilities": over(s["sales"], s["short_term_liabilities"]),
        "sales_to_fixed_assets": over(s["sales"], s["fixed_assets"]),
    }

"""What the demo shows: for each SOURCE a data set per portfolio, with an example to score and a question to ask."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Showcase:
    """`dataset` is a data set of `solvent.datasets`; `example` is a file of the checkout, `question`
    a saved query.

    `always` is what the majority line always says; `scored` is what one answer is about.
    """

    portfolio: str
    dataset: str
    example: str
    question: str
    always: str
    scored: str


def _lending(dataset: str) -> Showcase:
    return Showcase(
        portfolio="lending",
        dataset=dataset,
        example="examples/applicant.json",
        question="risk_bands",
        always="repays",
        scored="default",
    )


def _bankruptcy(dataset: str) -> Showcase:
    return Showcase(
        portfolio="bankruptcy",
        dataset=dataset,
        example="examples/company.json",
        question="watch_list",
        always="survives",
        scored="bankruptcy",
    )


# SOURCE of `make demo` -> what it shows.
SHOWCASES = {
    "synthetic": (_lending("synthetic"), _bankruptcy("bankruptcy")),
    "german": (_lending("german"),),
    "polish": (_bankruptcy("polish"),),
}
ABOUT = {
    "synthetic": "Both portfolios are synthetic. With real files: make demo SOURCE=german (or polish) SOLVENT_DATA=...",
    "german": "The 1,000 applicants, their 20 attributes and their labels are real (UCI German Credit). What the file\n"
    "lacks (dates, payments, events, income...) is generated, and nothing generated is a feature. Each loan\n"
    "has a label, so the batch predictions are in-sample; the AUC is out of fold.",
    "polish": "The 5,910 company-years, their 64 ratios and their labels are real (UCI, Polish bankruptcies, fifth\n"
    "year). Names, numbers and dates are generated, there are no statements. Each company-year has a label, so\n"
    "the batch predictions are in-sample; the AUC is out of fold.",
}

"""The four reports, in the order of reading."""

from pipeline.report.contents.coverage import COVERAGE
from pipeline.report.contents.health import HEALTH
from pipeline.report.contents.heat import HEAT
from pipeline.report.contents.quality import QUALITY
from pipeline.report.sections import Report

REPORTS: dict[str, Report] = {report.name: report for report in (QUALITY, HEAT, COVERAGE, HEALTH)}

"""The sample corpus: an invented site for tests, benchmarks and a first look."""

from pipeline.sample.commits import write_history
from pipeline.sample.site import write_site

__all__ = ["write_history", "write_site"]

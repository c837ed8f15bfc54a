"""What all stages of one run share."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from pipeline.build.tasks import Options
from pipeline.load.warehouse import Warehouse
from pipeline.runs.baseline import Baseline, read_baseline
from pipeline.runs.record import Recorder, recorded
from pipeline.settings import Settings
from pipeline.views.checks import refuse_unknown


class Context(Struct, frozen=True):
    """The settings of a run, the warehouse as it was, and who writes down what happens."""

    settings: Settings
    warehouse: Warehouse
    baseline: Baseline
    recorder: Recorder
    is_dry_run: bool = False

    @property
    def root(self) -> Path:
        """Folder of the warehouse."""
        return self.warehouse.root

    @property
    def started_at(self) -> dt.datetime:
        """Time of the run."""
        return self.recorder.record.started_at

    @property
    def options(self) -> Options:
        """Settings that alter rows."""
        settings = self.settings
        return Options(
            settings.strict, settings.keep_bodies, settings.keep_secured, settings.max_file_bytes
        )


@contextmanager
def begin(
    settings: Settings,
    now: dt.datetime | None,
    wait: float,
    *,
    full: bool = False,
    dry_run: bool = False,
) -> Iterator[Context]:
    """Hold the warehouse's lock and record what happens, as the run of these settings.

    Raises UsageError if the settings name a check that is not there.
    """
    refuse_unknown(settings.checks)
    warehouse = Warehouse(settings.warehouse)
    with recorded(warehouse, now, wait) as recorder:
        yield Context(settings, warehouse, read_baseline(warehouse, full=full), recorder, dry_run)

"""What all stages of one run share."""

from pathlib import Path

from msgspec import Struct

from pipeline.build.tasks import Options
from pipeline.load.warehouse import Warehouse
from pipeline.runs.baseline import Baseline
from pipeline.runs.record import Recorder
from pipeline.settings import Settings


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
    def options(self) -> Options:
        """Settings that alter rows."""
        settings = self.settings
        return Options(
            settings.strict, settings.keep_bodies, settings.keep_secured, settings.max_file_bytes
        )

"""Vega, Vega-Lite and Vega-Embed as one script for the page.

Bundling takes a second and holds Python's lock meanwhile, so a process of its own does it: this file, with nothing
of the working directory in its way.
"""

import subprocess
import sys


class Bundle:
    """The script, being made in the background."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", __file__], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def script(self) -> str:
        """Wait for the script. Raises PipelineError where it could not be made."""
        script, errors = self._process.communicate()
        if self._process.returncode or not script:
            from pipeline.errors import (
                PipelineError,  # not there for the process that bundles, where nothing is installed
            )

            reason = errors.decode(errors="replace").strip().rpartition("\n")[2]
            raise PipelineError(
                f"report: the scripts for charts could not be bundled ({reason}). Install vl-convert-python anew."
            )
        return script.decode()


def main() -> None:
    """Print the script: `window.vegaEmbed` is what the page calls."""
    import vl_convert

    bundle = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    closed = bundle.replace("</script", "<\\/script").replace(
        "<!--", "<\\!--"
    )  # nothing in it may end the element
    sys.stdout.buffer.write(f"(function () {{{closed}}})();".encode())


if __name__ == "__main__":
    main()

"""cert-manager as its Go module has it: CRDs, a chart, and the parts that our program runs."""

import subprocess
from pathlib import Path

MODULE = "github.com/cert-manager/cert-manager"
ACCESS = ("rbac.yaml", "webhook-rbac.yaml", "cainjector-rbac.yaml")
WEBHOOKS = ("webhook-validating-webhook.yaml", "webhook-mutating-webhook.yaml")
SECONDS = 300


class CertManager:
    """The module that `source`'s go.mod requires, and `program`, built from it."""

    def __init__(self, source: Path, program: Path) -> None:
        self.program = program
        _said("go", "mod", "download", MODULE, at=source)
        found = _said("go", "list", "-m", "-f", "{{.Dir}}", MODULE, at=source)
        self._deploy = Path(found) / "deploy"

    @property
    def crds(self) -> Path:
        """The folder of its CustomResourceDefinitions."""
        return self._deploy / "crds"

    def crd_names(self) -> list[str]:
        """The CRDs' names: a file is named GROUP_PLURAL.yaml."""
        parts = (path.stem.split("_") for path in self.crds.glob("*.yaml"))
        return sorted(f"{plural}.{group}" for group, plural in parts)

    def chart(self, *templates: str) -> str:
        """YAML of the chart's templates, with the chart's default values."""
        chart = self._deploy / "charts" / "cert-manager"
        return _said(str(self.program), "chart", str(chart), *templates, at=chart)


def _said(*words: str, at: Path) -> str:
    done = subprocess.run(
        words, cwd=at, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, f"{' '.join(words)}: {done.stderr}"
    return done.stdout.strip()

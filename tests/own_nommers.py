"""Packages with nommers of their own, on the path as an installation would leave them."""

import tomllib
from pathlib import Path

EXAMPLE = Path(__file__).parent.parent / "examples" / "contact-sheet"


def installed(folder: Path, package: Path) -> Path:
    """Return a folder for the path, in which a package is as pip would install it."""
    project = tomllib.loads((package / "pyproject.toml").read_text())["project"]
    name = project["name"].replace("-", "_")
    for module in (package / "src").iterdir():
        (folder / module.name).symlink_to(module)
    kept = folder / f"{name}-{project['version']}.dist-info"
    kept.mkdir()
    (kept / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    (kept / "entry_points.txt").write_text(
        "".join(
            f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in entries.items())
            for group, entries in project["entry-points"].items()
        )
    )
    (kept / "WHEEL").write_text("Wheel-Version: 1.0\nRoot-Is-Purelib: true\n")
    papers = [f"{kept.name}/{each.name}" for each in kept.iterdir()]
    modules = [
        f"{module.name}/{path.relative_to(module).as_posix()}"
        for module in (package / "src").iterdir()
        for path in module.rglob("*.py")
    ]
    listed = [*modules, *papers, f"{kept.name}/RECORD", "../../bin/a-script"]
    (kept / "RECORD").write_text("".join(f"{each},,\n" for each in listed))
    return folder

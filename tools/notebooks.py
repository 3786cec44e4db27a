"""Run chapters from top to bottom and store their outputs in place: `python -m tools.notebooks [name]`."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from tqdm import tqdm

CHAPTERS = Path(__file__).parent.parent / "chapters"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
VIEW = "application/vnd.jupyter.widget-view+json"
NOT_STORED = {"remove-output", "exercise"}  # a dead slider; a diagnosis before the reader has tried


def execute(path, done):
    """Run the notebook at `path` in a kernel of its own and store it; call `done` after every code cell."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(path.parent)}},
        on_cell_executed=lambda cell, **rest: done(),
    )
    client.execute()
    tidy(notebook)
    nbformat.write(notebook, path)


def tidy(notebook):
    """Leave nothing in the notebook that differs from run to run or from editor to editor."""
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        if NOT_STORED & set(cell.metadata.get("tags", [])):
            cell.outputs = []
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(VIEW, None)


def main(*names):
    paths = [CHAPTERS / f"{name}.ipynb" for name in names] or sorted(CHAPTERS.glob("*.ipynb"))
    cells = sum(
        cell.cell_type == "code" for path in paths for cell in nbformat.read(path, as_version=4).cells
    )
    with tqdm(total=cells, unit="cell", desc="chapters") as bar, ThreadPoolExecutor(2) as pool:
        for run in [pool.submit(execute, path, bar.update) for path in paths]:
            run.result()


if __name__ == "__main__":
    main(*sys.argv[1:])

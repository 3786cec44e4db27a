"""Sphinx extension: the host script and the stylesheet of the live figures go into the site's `_static`.

List `fitlib.figures.site` among the extensions. The files are `figures.js` (the host with the module of every
figure kind as text) and `figures.css`.
"""

import json
from pathlib import Path

from fitlib.figures.base import HERE, Figure, module


def host():
    """The host script with the modules it carries."""
    import fitlib.figures  # noqa: F401  (every kind is a subclass once it is imported)

    modules = {cls.kind: module(cls.kind) for cls in Figure.__subclasses__()}
    text = json.dumps(modules, sort_keys=True, ensure_ascii=False)
    return f"const MODULES = {text};\n{(HERE / 'host.js').read_text(encoding='utf-8')}"


def write(app, config):
    """Write both files beside the doctrees and let Sphinx copy them."""
    folder = Path(app.doctreedir) / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "figures.js").write_text(host(), encoding="utf-8")
    (folder / "figures.css").write_text((HERE / "figures.css").read_text(encoding="utf-8"), encoding="utf-8")
    config.html_static_path.append(str(folder))


def setup(app):
    app.connect("config-inited", write)
    app.add_js_file("figures.js", loading_method="defer")
    app.add_css_file("figures.css")
    return {"parallel_read_safe": True, "parallel_write_safe": True}

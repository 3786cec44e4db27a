"""How the tests are dealt out to the processes of pytest-xdist."""

import re

from xdist.scheduler import LoadScopeScheduling


class Together(LoadScopeScheduling):
    """Keeps in one process what shares a state: the cells of a chapter, the tests of a module or a page."""

    def _split_scope(self, nodeid):
        page = re.search(r"(?:test_pages|sweep/test_page)\.py::.*\[(.*)\]$", nodeid)
        return page[1] if page else nodeid.split("::")[0]


def pytest_xdist_make_scheduler(config, log):
    return Together(config, log)

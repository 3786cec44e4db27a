"""The kernel route: a slider of ipywidgets' `interact`, and Matplotlib in a live kernel."""

from pathlib import Path
from subprocess import DEVNULL
from time import perf_counter

import numpy as np

from benchmarks.setting import HIGH, LOW, RULES, START
from fitlib.fitting import fit
from fitlib.gabor import gabor, loss

WAIT = 60  # seconds, for one answer of the kernel


def show(rules, steps):
    """In the kernel: one slider for the rate; every move fits the rules anew and draws three panels."""
    import matplotlib.pyplot as plt
    from ipywidgets import FloatLogSlider, interactive

    x, y = loss.data
    across, up = (np.linspace(*side, 150) for side in loss.box)
    surface = loss(np.array(np.meshgrid(across, up)))  # once: the live figure does not repaint it either
    fine = np.linspace(x.min(), x.max(), 161)

    def draw(alpha):
        _, (landscape, model, curve) = plt.subplots(1, 3, figsize=(12, 4))
        landscape.contourf(across, up, surface, 10)
        model.plot(x, y, "o")
        for rule in RULES[:rules]:
            run = fit(rule, loss, START, steps, alpha=alpha)
            landscape.plot(*run.path.T)
            model.plot(fine, gabor(fine, run.phi))
            curve.semilogy(run.steps, run.losses)
        plt.show()

    lo, hi = np.log10([LOW, HIGH])
    widget = interactive(draw, alpha=FloatLogSlider(value=2, min=lo, max=hi, step=(hi - lo) / 200))
    widget.update()
    return widget.children[0].model_id


def moves(rules, steps, count=60):
    """Seconds from each of `count` moves of the slider to the message with the picture."""
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(cwd=str(Path(__file__).parents[1]), stderr=DEVNULL)
    try:
        code = f"%matplotlib inline\nfrom benchmarks.kernel import show\nslider = show({rules}, {steps})"
        asked = {"slider": "slider"}
        reply = client.execute(code, user_expressions=asked, reply=True, timeout=WAIT)["content"]
        if reply["status"] == "error":
            raise RuntimeError("\n".join(reply["traceback"]))
        slider = reply["user_expressions"]["slider"]["data"]["text/plain"].strip("'")
        return [_move(client, slider, float(alpha)) for alpha in np.geomspace(LOW, HIGH, count)]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _move(client, slider, alpha):
    """Set the slider as a front end does; wait for the picture, then (not timed) until the kernel rests."""
    data = {"method": "update", "state": {"value": alpha}, "buffer_paths": []}
    message = client.session.msg("comm_msg", {"comm_id": slider, "data": data})
    begun, seconds = perf_counter(), None
    client.shell_channel.send(message)
    while True:
        answer = client.get_iopub_msg(timeout=WAIT)
        if answer["parent_header"].get("msg_id") != message["header"]["msg_id"]:
            continue
        content = answer["content"]
        if answer["msg_type"] == "display_data" and "image/png" in content["data"]:
            seconds = perf_counter() - begun
        if content.get("execution_state") == "idle":
            if seconds is None:
                raise RuntimeError(f"the kernel drew nothing for alpha = {alpha}")
            return seconds

"""Rules for parameters that form a matrix: one step of each, one line per equation.

They are rules as in `fitlib.optimizers`, but `phi` has shape `(rows, columns, *runs)`: the matrix first, runs
behind. (`full_adagrad` takes a vector, `(n, *runs)`.) What they remember may have other shapes. `by_layer`
makes a rule of them for a whole network, that is for `fit`: its matrices get one rule, the rest another.
"""

import inspect
import math

import numpy as np

from fitlib.optimizers import adam

QUINTIC = (3.4445, -4.7750, 2.0315)  # a, b, c of Jordan et al. (2024)

# --- matrices with runs behind ---------------------------------------------------------------------


def front(a):
    """Runs first, the matrix last, as `numpy.linalg` wants it (a view)."""
    return np.moveaxis(a, (0, 1), (-2, -1))


def back(a):
    """The matrix first, runs behind (a view)."""
    return np.moveaxis(a, (-2, -1), (0, 1))


def transpose(a):
    """Rows and columns exchanged, `(columns, rows, *runs)`."""
    return np.swapaxes(a, 0, 1)


def times(*factors):
    """The product of matrices, from left to right; each `(rows, columns, *runs)`."""
    first, *others = map(front, factors)
    for factor in others:
        first = first @ factor
    return back(first)


def length(a):
    """The root of the sum of all squares of a matrix, `(*runs,)`."""
    return np.sqrt((a**2).sum(axis=(0, 1)))


def eigen(s):
    """Eigenvalues `(n, *runs)`, rising, 0 at least (nan of a matrix that is not finite), and eigenvectors."""
    s = front(s)
    finite = np.isfinite(s).all(axis=(-2, -1), keepdims=True)
    values, vectors = np.linalg.eigh(np.where(finite, s, 0.0))
    return np.moveaxis(np.maximum(values, np.where(finite[..., 0], 0, np.nan)), -1, 0), back(vectors)


def spectral(f, s):
    """A function of a symmetric matrix: `f` on its eigenvalues `(n, *runs)`, the eigenvectors as they are."""
    values, vectors = eigen(s)
    return times(vectors * f(values), transpose(vectors))


# --- the rules -------------------------------------------------------------------------------------


def full_adagrad(t, phi, grad, V=0.0, *, alpha, eps=1e-8):
    """One step over the root of the sum of all g gᵀ so far (Duchi et al. 2011)."""
    g = grad(phi)[:, None]
    V = V + times(g, transpose(g))
    root = spectral(lambda s: 1 / (np.sqrt(s) + eps), V)
    return phi - alpha * times(root, g)[:, 0], V


def shampoo(
    t, phi, grad, m=0.0, L=0.0, R=0.0, *, alpha, beta=0.0, gamma=1.0, eps=1e-4
):  # fmt: skip
    """One step between roots of row and column products (Gupta et al. 2018)."""
    g = grad(phi)
    m = beta * m + (1 - beta) * g
    L = gamma * L + times(g, transpose(g))
    R = gamma * R + times(transpose(g), g)
    left, right = (spectral(lambda s: (s + eps) ** -0.25, S) for S in (L, R))
    return phi - alpha * times(left, m, right), m, L, R


def axes(s, q):
    """Axes of a symmetric matrix, the longest first; later, `q` improved once."""
    if np.ndim(q) == 0:
        return eigen(s)[1][:, ::-1]
    return back(np.linalg.qr(front(times(s, q)))[0])


def soap(
    t, phi, grad, m=0.0, v=0.0, L=0.0, R=0.0, P=0.0, Q=0.0,
    *, alpha, beta=0.95, gamma=0.95, eps=1e-8, every=1
):  # fmt: skip
    """One step of Adam in Shampoo's axes (Vyas et al. 2024)."""
    g = grad(phi)
    L = gamma * L + (1 - gamma) * times(g, transpose(g))
    R = gamma * R + (1 - gamma) * times(transpose(g), g)
    P, Q = (axes(L, P), axes(R, Q)) if (t - 1) % every == 0 else (P, Q)
    m = beta * m + (1 - beta) * g
    v = gamma * v + (1 - gamma) * times(transpose(P), g, Q) ** 2
    m_hat = times(transpose(P), m, Q) / (1 - beta**t)
    v_hat = v / (1 - gamma**t)
    d = times(P, m_hat / (np.sqrt(v_hat) + eps), transpose(Q))
    return phi - alpha * d, m, v, L, R, P, Q


def quintic(s, *, a=QUINTIC[0], b=QUINTIC[1], c=QUINTIC[2]):
    """What a round of `orthogonal` makes of a singular value `s`."""
    return a * s + b * s**3 + c * s**5


def orthogonal(g, rounds=5, coefficients=QUINTIC, eps=1e-7):
    """`g` with all singular values near 1, by rounds (Jordan et al. 2024)."""
    if g.shape[0] > g.shape[1]:
        return transpose(orthogonal(transpose(g), rounds, coefficients, eps))
    a, b, c = coefficients
    x = g / np.maximum(length(g), eps)
    for _ in range(int(rounds)):
        s = times(x, transpose(x))
        x = a * x + times(b * s + c * times(s, s), x)
    return x


def muon(t, phi, grad, m=0.0, *, alpha, beta=0.95, decay=0.0, rounds=5):
    """One step along momentum made orthogonal (Jordan et al. 2024)."""
    g = grad(phi)
    m = beta * m + (1 - beta) * g
    o = orthogonal(beta * m + (1 - beta) * g, rounds)
    scale = np.sqrt(max(1, phi.shape[0] / phi.shape[1]))
    return phi - alpha * decay * phi - alpha * scale * o, m


# --- a network: matrices and the rest --------------------------------------------------------------


def by_layer(shapes, rule, rest=adam):
    """A rule for a vector of parameters that is cut into parts: `rule` for its matrices, `rest` for the others.

    `shapes` are those of the parts in order: `(rows, columns)` is a matrix, row by row, `(n,)` is not. The
    hyperparameters of `rest` are called `rest_alpha` and so on. Every part sees the gradient at `phi`.
    """
    ends = np.cumsum([math.prod(shape) for shape in shapes])

    def layered(t, phi, grad, memory=0.0, **hyper):
        if len(phi) != ends[-1]:
            raise ValueError(f"shapes hold {ends[-1]} parameters; phi has {len(phi)}")
        theirs = {name.removeprefix("rest_"): v for name, v in hyper.items() if name.startswith("rest_")}
        mine = {name: v for name, v in hyper.items() if not name.startswith("rest_")}
        states, parts = memory if t > 1 else [()] * len(shapes), []
        for shape, state, w, g in zip(shapes, states, np.split(phi, ends[:-1]), np.split(grad(phi), ends[:-1])):
            w, g = (part.reshape(*shape, *phi.shape[1:]) for part in (w, g))
            one, values = (rule, mine) if len(shape) == 2 else (rest, theirs)
            result = one(t, w, lambda _, g=g: g, *state, **values)
            w, *state = result if isinstance(result, tuple) else (result,)
            parts.append((w.reshape(-1, *phi.shape[1:]), state))
        return np.concatenate([w for w, _ in parts]), [state for _, state in parts]

    layered.__name__ = f"{rule.__name__}_by_layer"
    own = list(inspect.signature(layered).parameters.values())[:-1]
    keywords = [p for p in inspect.signature(rule).parameters.values() if p.kind is p.KEYWORD_ONLY]
    others = [p for p in inspect.signature(rest).parameters.values() if p.kind is p.KEYWORD_ONLY]
    others = [p.replace(name=f"rest_{p.name}") for p in others]
    layered.__signature__ = inspect.Signature([*own, *keywords, *others])
    return layered

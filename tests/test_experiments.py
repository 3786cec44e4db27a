"""The stored results of the experiments: a sample of each is computed again.

Samples are runs that do not amplify the last digits of their arithmetic (a start that is moved by 1e-10 of
itself moves a result by less than 1e-7), so they come out alike on any machine. Stored are five digits.
"""

import numpy as np
import pytest

from chapters.experiments import (
    checkpoints,
    edge_of_stability,
    matrix_layer,
    matrix_rules,
    mirror_images,
    momentum_and_batch,
    noise_floor,
    noise_scale,
    rare_words,
    rate_and_batch,
    rules_compared,
    rules_on_digits,
    scaling_limit,
    schedules_on_digits,
    sign_and_axes,
    signs_on_digits,
    test_time_adaptation,
    training_curves,
    warmup_curvature,
    warmup_rates,
    weight_averaging,
    weight_decay,
)
from chapters.experiments.records import load

SEEDS = [0, 1]


def sample_warmup_rates():
    """Training accuracy of SGD on the shallow network without warmup and with 100 steps of it."""
    case = "SGD, shallow"
    stored = np.array(load("warmup_rates")["results"][case]["accuracy"], float)
    again, _ = warmup_rates.train(case, warmup_rates.CASES[case][3][:2], [0, 100], SEEDS)
    return again, stored[:2, [0, 2], :2]


def sample_warmup_curvature():
    case = "SGD, shallow"
    stored = load("warmup_curvature")["results"][case]
    again = warmup_curvature.follow(case, stored["alpha"], [0], warmup_curvature.LOOKS[:2])
    return again.T, np.array(stored["limit"])[:1, :2]


def sample_rate_and_batch():
    stored = np.array(load("rate_and_batch")["results"]["SGD"]["losses"], float)
    losses, _ = rate_and_batch.train("SGD", 64, rate_and_batch.RULES["SGD"][1][:6], SEEDS)
    return losses[-1], stored[5, :6, :2]


def sample_rate_and_batch_adam():
    stored = np.array(load("rate_and_batch")["results"]["Adam"]["likelihoods"], float)
    _, likelihood = rate_and_batch.train("Adam", 128, rate_and_batch.RULES["Adam"][1][:6], SEEDS)
    return likelihood, stored[6, :6, :2]


def sample_weight_decay():
    """Validation and test likelihood of AdamW at a small rate, without decay and with some."""
    stored = np.array(load("weight_decay")["likelihoods"]["AdamW"])
    again = weight_decay.train("AdamW", 0, weight_decay.RATES[:1], weight_decay.DECAYS["AdamW"][[0, 4]], SEEDS)
    return again[:, 0], stored[:, 0, [0, 4], 0, :2]


def sample_momentum_and_batch():
    """Plain descent and momentum 0.9 with all points in a batch, at two rates."""
    stored = np.array(load("momentum_and_batch")["losses"]["512"])
    again = momentum_and_batch.train(512, momentum_and_batch.RATES[2:4], (0.0, 0.9), SEEDS)
    return again, stored[2:4][:, [0, 3], :2]


def sample_noise_floor():
    stored = load("noise_floor")["excess_per_seed"]
    again = noise_floor.floors(noise_floor.RATES[4:5], SEEDS)
    return np.array(list(again.values()))[:, 0], np.array([stored[kind][4][:2] for kind in again])


def sample_falling_rate():
    stored = np.array(load("noise_floor")["falling_per_seed"]["cosine"])
    return noise_floor.falling("cosine", noise_floor.RATES[3:5], SEEDS), stored[3:5, :2]


def sample_noise_scale():
    stored = np.array(load("noise_scale")["results"]["SGD"]["per_seed"])
    return noise_scale.follow("SGD", SEEDS, epochs=2)[1].T, stored[:2, :7]


def sample_mirror_images():
    stored = np.array(load("mirror_images")["final_per_seed"]["batch grows"])
    return mirror_images.follow("batch grows", SEEDS)[0][-1], stored[:2]


def sample_edge_of_stability():
    stored = np.array(
        load("edge_of_stability")["results"]["squared error, 0.1"]["sharpness_times_half_alpha"]
    )
    error, center, alpha, _ = edge_of_stability.CASES["squared error, 0.1"]
    return edge_of_stability.follow(error, center, alpha, 16, [0])[2].T, stored[:1, :5]


def sample_checkpoints():
    stored = load("checkpoints")["results"]["with a floor, 0.5"]
    again = checkpoints.measure("with a floor, 0.5", SEEDS, [5])
    names = ["on", "cooled", "averaged", "quarter, cooled"]
    return np.array([again[name][0] for name in names]), np.array([stored[name][0][:2] for name in names])


def sample_scaling_limit():
    stored = load("scaling_limit")["results"]["2.0"]
    again = scaling_limit.limits(2.0, [0], scaling_limit.LOOKS[:3])
    return again.T, np.array(stored["limit_along_a_run"])[:1, :3]


def sample_scaling_limit_lines():
    stored = np.array(load("scaling_limit")["results"]["0.5"]["losses"], float)
    return scaling_limit.lines(0.5, SEEDS, scaling_limit.BATCHES[4:])[:, :4], stored[4:, :4, :2]


def sample_weight_averaging():
    stored = np.array(load("weight_averaging")["results"]["SGD"]["negative_log_likelihood"]["last_per_seed"])
    return weight_averaging.train("SGD", [0.1], 0, SEEDS)[1, 0], stored[:1, 0, :2]


def sample_test_time_adaptation():
    stored = np.array(load("test_time_adaptation")["results"]["brighter by 0.3"]["after_per_seed"])
    test, phi = test_time_adaptation.trained(SEEDS)
    return test_time_adaptation.adapt(test, phi, "brighter by 0.3")[1], stored[..., :2]


def sample_schedules_on_digits():
    stored = load("schedules_on_digits")["results"]["plain"]["Adam"]["cosine"]
    again = schedules_on_digits.train("plain", "Adam", "cosine", [stored["rate"]], 1, SEEDS)
    return again[0][0], np.array(stored["loss"])[1, :2]


def sample_training_curves():
    stored = load("training_curves")["results"]["SGD"]["cosine"]["mean"]
    return training_curves.follow("SGD", "cosine").mean(axis=-1).T[:1], np.array(stored)[:1]


def sample_matrix_layer():
    """Muon and SOAP on correlated inputs, in batches."""
    stored = load("matrix_layer")["results"]["turned, batches"]
    ends = [matrix_layer.train(name, "turned, batches", stored[name]["chosen"], SEEDS) for name in ("Muon", "SOAP")]
    return np.log10(ends), np.array([stored[name]["log10"][:2] for name in ("Muon", "SOAP")])


def sample_rules_on_digits():
    stored = load("rules_on_digits")["results"]["cosine"]["momentum"]
    again = rules_on_digits.train("momentum", [stored["settings"]["rate"]], 2, SEEDS, falling=True)
    return again[0, 0], np.array(stored["loss"])[2, :2]


def sample_rare_words():
    """Momentum and the sign in the language with a heavier tail, after each octave of words."""
    stored, again = load("rare_words")["results"]["tail 1.5"], []
    for rule in ("momentum", "sign_descent"):
        model, phi = rare_words.train(rule, "tail 1.5", stored[rule]["chosen"])
        again.append(rare_words.octave_means(model, model.by_word(phi)[0]))
    return np.array(again), [stored[rule]["by_octave"] for rule in ("momentum", "sign_descent")]


def sample_sign_and_axes():
    """Momentum at its best setting on the first turned bowl with heavy tails: the starts it is judged on."""
    stored = load("sign_and_axes")["results"]["heavy tails, turned"]["momentum"]
    again = sign_and_axes.last_losses("momentum", 0, "heavy tails", True, stored["chosen"])
    return np.log10(again[0, sign_and_axes.STARTS // 2 :]).mean(), stored["log10_loss"][0]


def sample_signs_on_digits():
    stored = load("signs_on_digits")["results"]["adam"]
    setting = [stored["octave"]], stored["memory"], signs_on_digits.SCHEDULES[stored["schedule"]]
    return signs_on_digits.train("adam", *setting, 1, SEEDS)[1, 0], np.array(stored["likelihood"])[1, :2]


def sample_matrix_rules():
    """Muon's best setting of the first split, 93 steps, on its test digits."""
    stored = load("matrix_rules")["results"]["Muon"]["93"]
    chosen = dict(zip(stored["grid"], stored["chosen"][0]))
    phi, test = matrix_rules.train("Muon", chosen, 0, SEEDS, 93), matrix_rules.network(0)[2]
    return test.negative_log_likelihood(phi), np.array(stored["likelihood"][0][:2])


def sample_rules_compared():
    stored = load("rules_compared")["results"]["stays"]["rosenbrock"]["momentum"]
    again = rules_compared.in_a_valley(rules_compared.RULES["momentum"], rules_compared.VALLEYS["rosenbrock"], 0)
    return [again[key] for key in ("rate", "median_steps", "share_that_arrives")], [
        stored[key] for key in ("rate", "median_steps", "share_that_arrives")
    ]


SAMPLES = [function for name, function in list(globals().items()) if name.startswith("sample_")]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda function: function.__name__)
def test_a_sample_comes_out_again(sample):
    again, stored = sample()
    np.testing.assert_allclose(again, stored, rtol=1e-4)

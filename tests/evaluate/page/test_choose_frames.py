import math

from f2hdr_backend.evaluate.page.choose_frames import choose, words

SCENES = ((0, 1, 2, 3), (4, 5, 6), (7,))
SCORES = {0: 30.0, 1: 40.0, 2: 35.0, 3: 33.0, 4: 20.0, 5: 50.0, 6: 25.0, 7: 38.0}


def test_the_worst_middle_and_best_of_all_come_first():
    assert choose(SCORES, SCENES, 1) == (4,)
    assert choose(SCORES, SCENES, 3) == (2, 4, 5)


def test_frames_beyond_three_are_the_worst_then_the_best_of_every_scene():
    assert choose(SCORES, SCENES, 5) == (0, 2, 4, 5, 7)
    assert choose(SCORES, SCENES, 6) == (0, 1, 2, 4, 5, 7)


def test_frames_are_unique_and_all_are_chosen_if_they_fit():
    assert choose(SCORES, SCENES, 100) == tuple(range(8))


def test_identical_frames_are_ranked_best():
    assert choose({**SCORES, 1: math.inf}, SCENES, 3) == (1, 2, 4)


def test_the_text_states_how_many_frames_are_left_out():
    assert words(3, 8, "EPE", "scene").startswith("The page shows 3 of 8 frames: the worst, middle and best by EPE")
    assert words(8, 8, "PSNR_T", "scene") == "The page shows all 8 frames."

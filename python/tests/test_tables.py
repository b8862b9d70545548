"""A model of a table takes and gives pandas frames."""

import numpy as np
import pytest

pandas = pytest.importorskip("pandas")


def test_samples_are_the_rows_of_the_command(place, tmp_path):
    model = place.model("people")
    out = place.samples("people", tmp_path / "x.csv", "-n", 50, "--seed", 2)
    frame = model.sample(50, seed=2)
    assert list(frame.columns) == ["clinic", "height", "age", "smokes", "country"]
    assert model.columns == list(frame.columns) and model.given == []
    assert frame["age"].dtype == np.int64 and frame["height"].dtype == np.float64
    pandas.testing.assert_frame_equal(frame, pandas.read_csv(out), check_dtype=False)
    raw = model.sample(50, seed=2, raw=True)
    assert raw.shape == (50, *model.shape) and raw.dtype == np.float32


def test_conditions_are_given_by_name_or_by_a_frame(place, tmp_path):
    model = place.model("given")
    assert model.given == ["clinic", "age"]
    words = ["-n", 20, "--seed", 4, "--given", "clinic=B,age=40"]
    out = place.samples("given", tmp_path / "x.csv", *words)
    frame = model.sample(20, seed=4, given={"clinic": "B", "age": 40})
    pandas.testing.assert_frame_equal(frame, pandas.read_csv(out), check_dtype=False)
    asked = pandas.DataFrame({"clinic": ["A", "B"], "age": [30, 60]})
    asked.to_csv(tmp_path / "asked.csv", index=False)
    words = ["-n", 7, "--seed", 4, "--given", tmp_path / "asked.csv"]
    out = place.samples("given", tmp_path / "y.csv", *words)
    frame = model.sample(7, seed=4, given=asked)
    pandas.testing.assert_frame_equal(frame, pandas.read_csv(out), check_dtype=False)
    # People of clinic B are taller by 0.2 in the data.
    tall, short = (
        model.sample(300, given={"clinic": clinic, "age": 40})["height"].mean() for clinic in "BA"
    )
    assert tall - short > 0.1


def test_densities_of_a_frame_are_those_of_the_command(place, tmp_path):
    people = pandas.read_csv(place.path("people.csv"))[:20]
    people.to_csv(tmp_path / "people.csv", index=False)
    out = tmp_path / "scores.csv"
    words = ["likelihood", place.path("people"), tmp_path / "people.csv", "--out", out]
    place.flow(*words)
    expected = pandas.read_csv(out).select_dtypes("number").iloc[:, -1]
    got = place.model("people").log_prob(people)
    # Both solve to a tolerance of 1e-5, in batches of other sizes.
    np.testing.assert_allclose(got, expected, atol=5e-3)


def test_what_a_table_does_not_have_is_named(place):
    given, people = place.model("given"), place.model("people")
    for match, call in [
        ("told clinic, age", lambda: given.sample(2)),
        ("not height", lambda: given.sample(2, given={"clinic": "B", "age": 4, "height": 1.8})),
        ("lacks `age`", lambda: given.sample(2, given={"clinic": "B"})),
        ("C", lambda: given.sample(2, given={"clinic": "C", "age": 40})),
        ("told no column", lambda: people.sample(2, given={"clinic": "B"})),
        ("height", lambda: people.log_prob(pandas.DataFrame({"clinic": ["A"]}))),
    ]:
        with pytest.raises(ValueError, match=match):
            call()


def test_a_hole_is_no_value(place):
    people = pandas.read_csv(place.path("people.csv"))[:3]
    people.loc[1, "height"] = None
    with pytest.raises(ValueError, match="row 2"):
        place.model("people").log_prob(people)

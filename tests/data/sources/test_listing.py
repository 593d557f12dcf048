"""from_table: the same data set as from folders; every contradiction in a table has its message."""

import json
import os
import shutil

import numpy as np
import pytest

from tests.conftest import COLOURS
from tfxfer.contracts import PARTS
from tfxfer.data import from_folder, from_table, labelled_rows
from tfxfer.errors import DataError, SettingError, TfxferWarning

PICTURES = [(f"{colour}/{index:02}.png", colour) for colour in COLOURS for index in range(12)]


def csv(folder, rows, columns="path,label", name="photos.csv"):
    file = folder / name
    file.write_text("\n".join([columns, *(",".join(map(str, row)) for row in rows), ""]))
    return file


def files_of(photos, part):
    return [path.relative_to(photos.root).as_posix() for path in photos.paths(part)]


def test_a_table_gives_what_the_folder_gives(pictures):
    from_rows, from_files = from_table(csv(pictures, PICTURES[::-1])), from_folder(pictures)
    assert from_rows == from_files
    assert from_table(csv(pictures, PICTURES), seed=3, resize="stretch") == from_folder(
        pictures, seed=3, resize="stretch"
    )


def test_a_dataframe_and_json_lines_give_the_same(pictures):
    pandas = pytest.importorskip("pandas", reason="pandas comes with the extra 'test'")
    frame = pandas.DataFrame(PICTURES, columns=["path", "label"])
    lines = pictures / "photos.jsonl"
    lines.write_text("\n".join(json.dumps({"path": path, "label": label}) for path, label in PICTURES))
    assert from_table(frame, root=pictures) == from_table(lines) == from_folder(pictures)
    frame["path"] = [pictures / path for path in frame["path"]]
    frame["label"] = frame["label"].astype("category")
    assert from_table(frame, root=pictures) == from_folder(pictures)


def test_a_dataframe_s_paths_start_here(pictures, monkeypatch):
    pandas = pytest.importorskip("pandas", reason="pandas comes with the extra 'test'")
    monkeypatch.chdir(pictures)
    photos = from_table(pandas.DataFrame(PICTURES, columns=["path", "label"]))
    assert all(path.is_file() for path in photos.paths("test"))


def test_numbers_are_names_of_classes(pictures):
    labels = {"red": 10, "green": 2.0, "blue": "2.5"}
    file = pictures / "photos.jsonl"
    rows = [{"path": path, "label": labels[colour]} for path, colour in PICTURES]
    file.write_text("\n".join(map(json.dumps, rows)))
    photos = from_table(file)
    assert photos.classes == ("10", "2", "2.5")
    assert photos.records[0].path == "red/00.png"


def test_paths_absolute_or_roundabout_end_up_relative_to_the_root(pictures, tmp_path):
    ways = ("{}", "./{}", "red/../{}", f"{pictures}/{{}}", f"../{pictures.name}/{{}}")
    rows = [(ways[index % 5].format(path), label) for index, (path, label) in enumerate(PICTURES)]
    assert from_table(csv(pictures, rows)) == from_folder(pictures)
    elsewhere = csv(tmp_path, PICTURES)
    assert from_table(elsewhere, root=pictures).records == from_folder(pictures).records


def test_a_root_may_be_relative(pictures, monkeypatch):
    monkeypatch.chdir(pictures.parent)
    rows = [(pictures / path, label) for path, label in PICTURES]
    photos = from_table(csv(pictures, rows), root=pictures.name)
    assert photos.records == from_folder(pictures).records
    assert photos.paths("test")[0].is_file()


def test_the_split_is_the_same_wherever_the_table_lies_and_whatever_its_columns(pictures, tmp_path):
    elsewhere = shutil.copytree(pictures, tmp_path / "elsewhere")
    one = csv(pictures, PICTURES)
    other = csv(elsewhere, [(label, "x", path) for path, label in PICTURES], "Colour,note,File")
    photos = from_table(other, path="File", label="Colour")
    assert photos.split == from_table(one).split
    assert photos.records == from_table(one).records


def test_a_row_that_repeats_another_changes_nothing(pictures):
    twice = csv(pictures, [*PICTURES, ("./red/00.png", " red ")])
    assert from_table(twice) == from_folder(pictures)


def split_rows(words):
    """Say a word for each picture of a class, by its number."""
    return [(path, label, words[int(path[-6:-4])]) for path, label in PICTURES]


def test_three_parts_are_taken_as_they_are(pictures):
    words = ["train"] * 6 + ["VAL"] * 3 + ["Test"] * 3
    photos = from_table(csv(pictures, split_rows(words), "path,label,split"), split="split")
    assert files_of(photos, "validation") == [f"{c}/{i:02}.png" for c in sorted(COLOURS) for i in (6, 7, 8)]
    assert [len(photos.split[part]) for part in PARTS] == [18, 9, 9]
    assert photos.split.given == PARTS


@pytest.mark.parametrize("other", ["val", "test"])
def test_train_and_one_other_cuts_validation_from_train(pictures, other):
    words = ["train"] * 10 + [other] * 2
    photos = from_table(csv(pictures, split_rows(words), "path,label,fold"), split="fold")
    assert files_of(photos, "test") == [f"{c}/{i:02}.png" for c in sorted(COLOURS) for i in (10, 11)]
    assert [len(photos.split[part]) for part in PARTS] == [24, 6, 6]
    assert photos.split.given == ("train", "test")


def test_train_alone_is_cut_into_all_three(pictures):
    photos = from_table(csv(pictures, split_rows(["train"] * 12), "path,label,fold"), split="fold")
    assert photos == from_folder(pictures)


def test_a_part_may_lack_a_class_that_train_has(pictures):
    rows = [row for row in split_rows(["train"] * 9 + ["test"] * 3) if row[1] != "red" or row[2] == "train"]
    photos = from_table(csv(pictures, rows, "path,label,fold"), split="fold")
    assert photos.classes == ("blue", "green", "red")
    assert set(photos.labels("test")) == {0, 1}


def test_groups_stay_in_one_part_and_empty_ones_stand_alone(pictures):
    def owner(path):
        number = int(path[-6:-4])
        return "" if number > 9 else f"owner {number // 2}"

    rows = [(path, label, owner(path)) for path, label in PICTURES]
    photos = from_table(csv(pictures, rows, "path,label,group"), group="group", seed=2)
    parts = {}
    for part in PARTS:
        for index in photos.split[part]:
            parts.setdefault(photos.records[index].group, set()).add(part)
    alone = parts.pop(None)
    assert sorted(parts) == [f"owner {number}" for number in range(5)]
    assert all(len(found) == 1 for found in parts.values())
    assert alone <= set(PARTS)


def test_groups_are_kept_where_validation_is_cut_from_train(pictures):
    rows = [(path, label, f"{label}{path[-5]}", "train") for path, label in PICTURES]
    rows = [(*row[:3], "test") if row[0].endswith(("1.png", "2.png")) else row for row in rows]
    photos = from_table(csv(pictures, rows, "path,label,who,part"), group="who", split="part")
    groups = [{photos.records[index].group for index in photos.split[part]} for part in PARTS]
    assert not groups[0] & groups[1]
    assert not groups[0] & groups[2]
    assert groups[2] == {f"{colour}{digit}" for colour in COLOURS for digit in "12"}


@pytest.mark.parametrize("role", ["split", "group"])
def test_a_column_that_is_left_lying_is_told_of(pictures, role, says):
    table = csv(pictures, split_rows(["train"] * 12), f"path,label,{role}")
    message = (
        f"{table} has a column '{role}' that is not used; --{role}-column {role} ({role}='{role}') takes it."
    )
    with pytest.warns(TfxferWarning, match=says(message)):
        from_table(table)


def refused(table, message, says, error=DataError, **settings):
    with pytest.raises(error, match=says(message)):
        from_table(table, **settings)


def test_a_missing_column(pictures, says):
    table = csv(pictures, PICTURES, "path,Labels")
    message = (
        f"{table} has no column 'label'; did you mean 'Labels'? It has path, Labels; say with "
        "--label-column (label=…) which one holds the label."
    )
    refused(table, message, says)
    message = (
        f"{table} has no column 'patient'. It has path, Labels; say with --group-column (group=…) which "
        "one holds the group."
    )
    refused(table, message, says, label="Labels", group="patient")


def test_a_column_that_is_there_twice(pictures, says):
    table = csv(pictures, [(*row, "x") for row in PICTURES], "path,label,label")
    refused(table, f"{table} has two columns 'label'; rename or remove one.", says)


@pytest.mark.parametrize(("row", "column"), [((" ", "red"), "path"), (("red/00.png", ""), "label")])
def test_a_row_without_path_or_label(pictures, row, column, says):
    table = csv(pictures, [*PICTURES[:3], row])
    message = f"{table}, row 5 has nothing in column '{column}'; fill it in, or remove the row."
    refused(table, message, says)


def test_a_row_without_its_part(pictures, says):
    table = csv(pictures, [("red/00.png", "red", "train"), ("red/01.png", "red", "")], "path,label,split")
    message = f"{table}, row 3 has nothing in column 'split'; fill it in, or remove the row."
    refused(table, message, says, split="split")


@pytest.mark.parametrize("cells", ['{"path": "red/00.png"}', '{"path": "red/00.png", "label": NaN}'])
def test_a_line_without_a_label(pictures, cells, says):
    table = pictures / "photos.jsonl"
    table.write_text(f'{{"path": "red/01.png", "label": "red"}}\n{cells}')
    message = f"{table}, line 2 has nothing in column 'label'; fill it in, or remove the row."
    refused(table, message, says)


def test_a_cell_that_is_no_text(pictures, says):
    table = pictures / "photos.jsonl"
    table.write_text('{"path": "red/01.png", "label": ["red", "big"]}')
    message = f"{table}, line 1 has list in column 'label'; write text or one number there."
    refused(table, message, says)


def test_a_label_that_cannot_be_written(pictures, says):
    table = csv(pictures, [("red/00.png", '"re\nd"')])
    message = f"{table}, row 2 has a label that cannot be written down ('re\\nd'); give it another name."
    refused(table, message, says)


def test_files_that_are_not_there(pictures, says):
    lost = [(f"lost/{index}.png", "red") for index in range(7)]
    table = csv(pictures, [*PICTURES, *lost])
    listed = "\n".join(f"  row {38 + index}: {pictures / 'lost'}/{index}.png" for index in range(5))
    message = (
        f"7 of 43 files that {table} lists are not there; mend their paths, or say with --root (root=…) "
        f"which folder they start from:\n{listed}\n  … and 2 more"
    )
    refused(table, message, says)


def test_a_caption_for_a_path(pictures, says):
    caption = "a cat " * 100
    table = csv(pictures, [*PICTURES, (caption, "red")])
    message = (
        f"1 of 37 files that {table} lists are not there; mend their paths, or say with --root (root=…) "
        f"which folder they start from:\n  row 38: {pictures / caption.strip()}"
    )
    refused(table, message, says)


def test_a_root_that_is_not_there(pictures, says):
    table = csv(pictures, PICTURES)
    root = pictures / "nowhere"
    message = f"{root} is no folder; --root (root=…) says which folder the paths of {table} start from."
    refused(table, message, says, root=root)


@pytest.mark.parametrize("path", ["../elsewhere/a.png", f"{os.sep}elsewhere{os.sep}a.png"])
def test_a_path_outside_of_the_root(pictures, path, says):
    table = csv(pictures, [*PICTURES, (path, "red")])
    message = (
        f"{table}, row 38: {path} lies outside of {pictures}; say with --root (root=…) which folder holds "
        "all pictures."
    )
    refused(table, message, says)


def test_one_picture_with_two_labels(pictures, says):
    table = csv(pictures, [*PICTURES, ("./blue/00.png", "red")])
    message = (
        f"{table} gives blue/00.png the label 'blue' in row 2 and 'red' in row 38; keep one of the rows."
    )
    refused(table, message, says)


def test_one_picture_in_two_parts_or_groups(pictures, says):
    rows = [*split_rows(["train"] * 12), ("blue/00.png", "blue", "test")]
    table = csv(pictures, rows, "path,label,fold")
    message = (
        f"{table} gives blue/00.png the part 'train' in row 2 and 'test' in row 38; keep one of the rows."
    )
    refused(table, message, says, split="fold")
    message = message.replace("the part", "the group")
    refused(table, message, says, group="fold")


@pytest.mark.parametrize(
    ("word", "hint"), [("trian", "; did you mean 'train'?"), ("3", ".")], ids=["near", "far"]
)
def test_an_unknown_part(pictures, word, hint, says):
    table = csv(pictures, split_rows(["train"] * 11 + [word]), "path,label,fold")
    message = (
        f"{table}, row 13 has '{word}' in column 'fold'{hint} A part is train, validation (or val) or test."
    )
    refused(table, message, says, split="fold")


def test_no_picture_to_learn_from(pictures, says):
    table = csv(pictures, split_rows(["val"] * 6 + ["test"] * 6), "path,label,fold")
    message = (
        f"{table} puts no picture in train, and 36 in validation and test; say train in the rows that are to "
        "be learnt from."
    )
    refused(table, message, says, split="fold")


def test_a_class_that_training_lacks(pictures, says):
    rows = [(path, label, "test" if label == "red" else "train") for path, label in PICTURES]
    table = csv(pictures, rows, "path,label,fold")
    first = next(number for number, row in enumerate(rows, start=2) if row[1] == "red")
    message = (
        f"{table}, row {first} has class 'red' in test, and no row has it in train; give train some of it, "
        "or remove it."
    )
    refused(table, message, says, split="fold")


def test_a_group_in_two_parts(pictures, says):
    rows = [(*row, f"cat {row[0][-6:-4]}") for row in split_rows(["train"] * 6 + ["test"] * 6)]
    table = csv(pictures, [*rows[:11], (*rows[11][:3], "cat 00"), *rows[12:]], "path,label,fold,who")
    message = (
        f"{table} has group 'cat 00' in train (row 2) and in test (row 13): what is learnt from would judge "
        "itself. Put each group in one part."
    )
    refused(table, message, says, split="fold", group="who")


def test_one_class(pictures, says):
    table = csv(pictures, PICTURES[:12])
    message = f"{table} holds one class only (blue); a classifier needs at least two labels."
    refused(table, message, says)


def test_a_class_with_too_few_pictures(pictures, says):
    message = (
        "class 'green' has 2 pictures, too few for a split into train, validation, test; add pictures until "
        "it has at least 3, or remove the class."
    )
    refused(csv(pictures, PICTURES[:14]), message, says)


def test_an_unknown_way_to_resize(pictures, says):
    message = "resize must be 'crop' or 'stretch', got 'squeeze'."
    refused(csv(pictures, PICTURES), message, says, SettingError, resize="squeeze")


TAGS = [
    (path, ";".join(sorted({colour, *(["round"] if index % 3 == 0 else [])})))
    for index, (path, colour) in enumerate(PICTURES)
]
"""Each colour, and every third picture round too."""


def test_several_labels_in_a_cell_or_in_columns_are_the_same(pictures):
    listed = from_table(csv(pictures, TAGS), task="multi_label")
    names = ("blue", "green", "red", "round")
    ticked = [(path, *(int(name in tags.split(";")) for name in names)) for path, tags in TAGS]
    columns = from_table(csv(pictures, ticked, columns=",".join(["path", *names])), label=names)
    assert listed == columns
    assert (listed.task, listed.classes) == ("multi_label", names)
    assert listed.targets("train").shape == (len(listed.split.train), 4)
    for part in PARTS:
        truth = {
            path: {listed.classes[i] for i in np.flatnonzero(row)}
            for path, row in zip(files_of(listed, part), listed.targets(part), strict=True)
        }
        assert truth == {path: set(tags.split(";")) for path, tags in TAGS if path in truth}
        assert listed.targets(part).any(axis=0).all()  # each class is in each part


def test_a_picture_without_labels_counts(pictures):
    rows = [*TAGS[:-6], *((path, "") for path, _ in TAGS[-6:])]
    photos = from_table(csv(pictures, rows), separator=";")
    assert len(photos) == 36
    assert sum(int(not row.any()) for part in PARTS for row in photos.targets(part)) == 6
    assert str(photos).splitlines()[0].split() == ["class", "train", "validation", "test"]


def test_numbers_are_learnt_as_they_are(pictures):
    rows = [(path, index / 4, -index) for index, (path, _) in enumerate(PICTURES)]
    file = csv(pictures, rows, columns="path,width,depth")
    photos = from_table(file, label=["width", "depth"], task="regression")
    assert (photos.task, photos.classes) == ("regression", ("width", "depth"))
    truth = {path: (width, depth) for path, width, depth in rows}
    for part in PARTS:
        assert [tuple(row) for row in photos.targets(part).tolist()] == [
            truth[path] for path in files_of(photos, part)
        ]
    images, targets = next(iter(photos.batches("validation", image_size=8)))
    assert images.shape[1:] == (8, 8, 3)
    np.testing.assert_array_equal(targets, photos.targets("validation"))
    heading, width, _ = str(photos).splitlines()
    assert heading.split() == ["mean", "train", "validation", "test"]
    assert width.split()[1] == f"{photos.targets('train')[:, 0].mean():.4g}"


def test_a_class_that_no_picture_shows(pictures, says):
    rows = [(path, 1, 0) for path, _ in PICTURES]
    file = csv(pictures, rows, columns="path,sun,sea")
    message = (
        f"{file} says of no picture that it shows something in column 'sea'; leave the column out, or give "
        "it some that do."
    )
    refused(file, message, says, label=["sun", "sea"])


def test_a_label_of_several_that_training_lacks(pictures, says):
    rows = [(path, tags, "test" if "red" in tags else "train") for path, tags in TAGS]
    file = csv(pictures, rows, columns="path,label,split")
    message = (
        f"{file}, row 26 has class 'red' in test, and no row has it in train; give train some of it, or "
        "remove it."
    )
    refused(file, message, says, split="split", task="multi_label")


def test_a_label_of_several_that_too_few_have(pictures, says):
    rows = [("blue/00.png", "blue;rare"), ("red/00.png", "rare"), *TAGS[1:24], *TAGS[25:]]
    file = csv(pictures, rows)
    message = (
        f"{file} has 2 pictures of class 'rare', too few for a split into train, validation, test; add some "
        "until there are 3, or leave the class out."
    )
    refused(file, message, says, task="multi_label")


KNOWN = ("red", "green", "blue", "white")


def test_labelled_rows_are_all_rows_whatever_they_number(pictures):
    files, labels, groups = labelled_rows(csv(pictures, [*PICTURES[:1], PICTURES[-1]]), classes=KNOWN)
    assert groups is None
    assert files == [pictures / "blue" / "00.png", pictures / "red" / "11.png"]
    assert labels == [(2,), (0,)]


@pytest.mark.parametrize(
    ("parts", "judging"),
    [
        (["train", "val", "test"], "test"),
        (["train", "Val", "train"], "Val"),
        (["train", "train", "train"], "train"),
    ],
    ids=["test", "validation", "train"],
)
def test_labelled_rows_of_a_split_are_those_that_judge(pictures, parts, judging):
    rows = [(*PICTURES[index], parts[index % 3]) for index in range(12)]
    files, *_ = labelled_rows(csv(pictures, rows, "path,label,part"), classes=KNOWN, split="part")
    assert files == [pictures / path for path, _, part in rows if part == judging]


def test_labelled_rows_have_the_groups_of_what_judges(pictures):
    rows = [(*PICTURES[0], "train", "a"), (*PICTURES[1], "test", "a"), (*PICTURES[2], "test", "")]
    table = csv(pictures, rows, "path,label,part,camera")
    *_, groups = labelled_rows(table, classes=KNOWN, split="part", group="camera")
    assert groups == ["a", None]  # a group may be in two parts here: nothing is learnt


def test_labelled_rows_elsewhere_and_otherwise_named(pictures, tmp_path):
    table = csv(tmp_path, [(label, path) for path, label in PICTURES], "colour,file")
    files, labels, _ = labelled_rows(table, classes=KNOWN, root=pictures, path="file", label="colour")
    assert files == [pictures / path for path, _ in PICTURES]
    assert labels == [(KNOWN.index(label),) for _, label in PICTURES]


def test_labelled_rows_refuse_a_class_the_model_does_not_know(pictures, says):
    table = csv(pictures, PICTURES)
    message = f"{table}, row 14 has a class 'green' that is not among the known ones: red, blue."
    with pytest.raises(DataError, match=says(message)):
        labelled_rows(table, classes=("red", "blue"))


def test_labelled_rows_are_held_to_what_tables_are_held_to(pictures, says):
    table = csv(pictures, [*PICTURES, ("blue/99.png", "blue")])
    message = (
        f"1 of 37 files that {table} lists are not there; mend their paths, or say with --root (root=…) "
        f"which folder they start from:\n  row 38: {pictures / 'blue' / '99.png'}"
    )
    with pytest.raises(DataError, match=says(message)):
        labelled_rows(table, classes=KNOWN)
    message = (
        f"{pictures / 'no'} is no folder; --root (root=…) says which folder the paths of {table} start from."
    )
    with pytest.raises(DataError, match=says(message)):
        labelled_rows(table, classes=KNOWN, root=pictures / "no")


def test_labelled_rows_of_several_labels(pictures):
    listed = labelled_rows(csv(pictures, TAGS), classes=("round", *KNOWN), task="multi_label")
    names = ("blue", "green", "red", "round", "white")
    ticked = [(path, *(int(name in tags.split(";")) for name in names)) for path, tags in TAGS]
    table = csv(pictures, ticked, columns=",".join(["path", *names]))
    assert labelled_rows(table, classes=("round", *KNOWN), task="multi_label") == listed
    assert listed[1][:2] == [(0, 3), (3,)]


def test_labelled_rows_of_numbers_are_in_the_model_s_order(pictures):
    rows = [(path, index, -index) for index, (path, _) in enumerate(PICTURES)]
    table = csv(pictures, rows, columns="path,width,depth")
    _, shown, _ = labelled_rows(table, classes=("depth", "width"), task="regression")
    assert shown == [(-float(index), float(index)) for index in range(36)]
    _, shown, _ = labelled_rows(table, classes=("d", "w"), task="regression", label=["depth", "width"])
    assert shown[1] == (-1, 1)
    named = {"task": "regression", "label": ["width", "depth"]}
    assert labelled_rows(table, classes=("depth", "width"), **named)[1][1] == (-1, 1)


@pytest.mark.parametrize(("task", "label"), [("multi_label", ["a", "b"]), ("regression", ["a"])])
def test_labelled_rows_need_a_column_for_all_that_the_model_tells(pictures, task, label, says):
    table = csv(pictures, [(path, 1, 0, 1) for path, _ in PICTURES], columns="path,a,b,c")
    message = (
        f"the model tells a, b, c, and the columns of labels are {', '.join(label)}; name one for each, "
        "numbers in the model's order, or leave them out."
    )
    with pytest.raises(SettingError, match=says(message)):
        labelled_rows(table, classes=("a", "b", "c"), task=task, label=label)


def test_a_label_of_several_that_no_picture_to_learn_from_has(pictures):
    rows = [(path, "sea;rare" if index < 3 else "sea") for index, (path, _) in enumerate(PICTURES)]
    file = csv(pictures, rows)
    message = (
        f"{file} has few pictures of class 'rare', and none of them fell into train; take another seed, add "
        "some, say with --split-column (split=…) which are in train, or leave the class out."
    )
    outcomes = set()
    for seed in range(400):
        try:
            photos = from_table(file, task="multi_label", seed=seed)
        except DataError as error:
            outcomes.add(str(error))
        else:
            assert photos.targets("train").any(axis=0).all()
            outcomes.add("learnt")
    assert outcomes == {"learnt", message}

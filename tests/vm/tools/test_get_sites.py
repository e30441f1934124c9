# SPDX-License-Identifier: GPL-2.0-only
"""docs/get-sites.tsv is compared with the sources of kernels, and those are read rightly."""

import subprocess
import sys

import pytest

from harness.paths import REPO

FOLDER = REPO / "tests" / "kernels"
sys.path.append(str(FOLDER))

import get_sites  # noqa: E402
import kbuild  # noqa: E402
import site_table  # noqa: E402
from get_sites import Site  # noqa: E402

kernels = []
SOURCE = r"""
// try_module_get(in_a_comment)
bool try_module_get(struct module *module);
#define takes_as_macro(ops) \
	({ const struct ops *_ops = (ops); try_module_get(_ops->owner) ? _ops : NULL; })
struct ops ops = { .owner = THIS_MODULE };
EXPORT_SYMBOL(ops)
static struct device *over_two_lines(void *data,
		int (*match)(struct device *dev, const void *data))
{
	if (!try_module_get(data))
		return ERR_PTR(-ENODEV);
	return find("}}{ try_module_get(");
}
SYSCALL_DEFINE2(called, const char __user *, name, unsigned int, flags)
{
	while (flags--) {
		__module_get(find(name));
	}
	return 0;
}
#ifdef CONFIG_ONE
static int under_an_if(void) {
	if (one()) {
#else
static int under_an_if(void) {
	if (other()) {
#endif
		try_module_get(THIS_MODULE);
	}
	return put();
}
__printf(1, 2) static __always_inline bool with_attributes(const char *format, ...) __must_hold(&lock)
{
	list_for_each(one) { if (try_module_get(one->owner)) break; }
	return true;
}
static bool only_takes(struct kind *kind)
{
	return try_module_get(kind->owner);
}
void calls_the_one_that_takes(struct kind *kind)
{
	if (only_takes(kind))
		kind->use++;
}
void takes_nothing(void)
{
	module_put(THIS_MODULE);
}
"""
FOUND = {"takes_as_macro", "over_two_lines", "__do_sys_called", "under_an_if", "with_attributes", "only_takes",
         "calls_the_one_that_takes"}
MAKEFILE = """obj-$(CONFIG_KIND) += kind.o
obj-$(CONFIG_OTHER) += other.o
kind-y := one.o two.o
kind-$(CONFIG_THREE) += three.o
obj-$(CONFIG_DEEPER) += deeper/
"""


@pytest.fixture(name="tree")
def sources(tmp_path):
    """Of a kernel of four files."""
    (tmp_path / "drivers" / "deeper").mkdir(parents=True)
    (tmp_path / "tools").mkdir()
    (tmp_path / "drivers" / "one.c").write_text(SOURCE)
    (tmp_path / "drivers" / "two.c").write_text("int only_takes(int own)\n{\n\treturn only_takes(own);\n}\n")
    (tmp_path / "tools" / "tool.c").write_text(SOURCE)
    (tmp_path / "drivers" / "Makefile").write_text(MAKEFILE)
    (tmp_path / "drivers" / "deeper" / "Kbuild").write_text("obj-y += four.o\n")
    return tmp_path


def changed(tmp_path, signs=None, table=None, document=None):
    """What is said of the tree, with this in the place of what it has."""
    series, own = site_table.read_list()
    files = [tmp_path / name for name in ("sites.tsv", "get-sites.tsv", "holders.md")]
    site_table.write_list(series, signs or own, files[0])
    site_table.write_table(series, table or site_table.read_table(), files[1])
    files[2].write_text(document or site_table.HOLDERS.read_text())
    read = [site_table.read_list(files[0])[1], site_table.read_table(files[1]), files[2].read_text()]
    return list(site_table.problems(*read))


def test_each_function_is_called_by_its_name(tree):
    found = get_sites.Sources(tree).sites()
    assert {site.function for site in found} == FOUND
    assert {site.path for site in found} == {"drivers/one.c"}
    assert found[Site("drivers/one.c", "calls_the_one_that_takes")] == {"only_takes"}


def test_a_function_that_is_not_seen_is_no_silence(tree):
    (tree / "drivers" / "three.c").write_text("MODULE_THAT(new)\n{\n\ttry_module_get(new);\n}\n")
    with pytest.raises(ValueError, match="drivers/three.c: try_module_get"):
        get_sites.Sources(tree).sites()


def test_makefiles_tell_what_is_built(tree):
    config = kbuild.merged(["CONFIG_KIND=m\nCONFIG_DEEPER=y\n", "# CONFIG_OTHER is not set\nCONFIG_KIND=y\n"])
    objects = kbuild.built(tree, "x86", config)
    assert objects == {"drivers/kind", "drivers/one", "drivers/two", "drivers/deeper/four"}
    assert kbuild.is_built("drivers/one.c", objects) and not kbuild.is_built("drivers/three.c", objects)
    assert kbuild.is_built("drivers/own.h", objects) and not kbuild.is_built("net/own.h", objects)


def test_the_table_is_complete(tmp_path):
    assert not changed(tmp_path)
    _, signs = site_table.read_list()
    assert len(signs) > 500, "the list has been lost"


def test_a_place_that_the_table_lacks_is_named(tmp_path):
    """A kernel of tomorrow."""
    _, signs = site_table.read_list()
    signs[Site("drivers/new.c", "new_get")] = "..+"
    line, = changed(tmp_path, signs)
    assert line == "drivers/new.c: new_get() takes references, and docs/get-sites.tsv does not have it"
    table = site_table.followed(signs, site_table.read_table())
    assert "nobody has said yet" in changed(tmp_path, signs, table)[0]


def test_a_place_that_is_gone_or_is_built_elsewhere_is_named(tmp_path):
    _, signs = site_table.read_list()
    site = Site("block/bdev.c", "bdev_open")
    assert changed(tmp_path, signs | {site: "+++"}) == ["block/bdev.c: bdev_open() is +++, not .++"]
    del signs[site]
    assert changed(tmp_path, signs) == ["block/bdev.c: bdev_open() is in no source any more"]


@pytest.mark.parametrize("member, value, said", [
    ("name", "mind", "no class 'mind'"), ("kinds", "no_such", "no kind no_such"),
    ("kinds", "-", "belong to the class kind"), ("references", "many", "belong to the class kind"),
    ("name", "not built", "belong to the class kind"), ("reason", "-", "has no reason")])
def test_a_row_that_says_nothing_is_named(tmp_path, member, value, said):
    table = site_table.read_table()
    setattr(table[Site("block/bdev.c", "bdev_open")], member, value)
    assert said in changed(tmp_path, table=table)[0]


def test_the_share_is_what_the_document_says(tmp_path):
    table = site_table.read_table()
    said = site_table.summary(table)
    document = site_table.HOLDERS.read_text().replace(" are of a kind above", " were of a kind above")
    assert changed(tmp_path, document=document) == [f"docs/holders.md does not say: {said}"]
    table[Site("drivers/uio/uio.c", "uio_open")] = site_table.Row("+++", "kind", "open_file", "1", "a device")
    line, = changed(tmp_path, table=table)
    assert line != said and line.endswith(site_table.summary(table))


def test_the_check_fails_with_it(tmp_path):
    """The program itself."""
    series, signs = site_table.read_list()
    signs[Site("drivers/new.c", "new_get")] = "..+"
    site_table.write_list(series, signs, tmp_path / "sites.tsv")
    subprocess.run(["scripts/deps", "build"], cwd=REPO, check=True)
    subprocess.run(["scripts/build", "release"], cwd=REPO, check=True)
    result = subprocess.run([FOLDER / "check", FOLDER / "needs.tsv", FOLDER / "facts.tsv", tmp_path / "sites.tsv"],
                            capture_output=True, text=True)
    assert result.returncode == 1, result.stderr
    assert "drivers/new.c: new_get()" in result.stdout

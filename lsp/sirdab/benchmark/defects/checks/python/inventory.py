from types import SimpleNamespace

from inventory import (
    Article,
    Inventory,
    OutOfStock,
    discount,
    final_price,
    group_by,
    known_names,
    missing,
    move,
    rebalance,
    remove_discontinued,
    ship,
    with_tag,
)
from support import Key, Watched, comparisons, raises

shop = Inventory()
assert shop.cheapest() is None
assert shop.add("tea", 3, 2.5).amount == 3
shop.add("tea", 2)
assert shop.price_of("tea") == 2.5
shop.add("tea", 1, 0)
assert shop.price_of("tea") == 0, "what is given away costs nothing"
shop.add("tea", 1, 2.0)
shop.add("cup", 1, 9.0)
assert shop.price_of("pot") is None
assert shop.value() == 7 * 2.0 + 9.0
assert shop.cheapest().name == "tea"
for wrong in (0, -1):
    with raises(ValueError):
        shop.add("tea", wrong)
assert shop.take("tea", 2) == 4.0
with raises(OutOfStock):
    shop.take("tea", 6)
with raises(OutOfStock):
    shop.take("pot", 1)
assert shop.take("cup", 1) == 9.0
assert shop.drop_empty() == 1 and shop.price_of("cup") is None
shop._articles["tea"].tags.append("hot")
shop.add("ice", 1, 5)
assert shop.tagged("hot") == ["tea"]
for name in ("a", "b", "c"):
    shop.add(name, 1)
    shop.take(name, 1)
assert shop.drop_empty() == 2

watched = Inventory()
watched._articles = Watched(watched._lock)
article = watched.add("x", 1, 1.0)
assert watched.price_of("x") == 1.0
assert watched.take("x", 1) == 1.0 and watched.cheapest() is article
watched.drop_empty()
seen = []


class Bare(Article):
    @property
    def amount(self):
        return 5

    @amount.setter
    def amount(self, value):
        seen.append(watched._lock.locked())


watched._articles = Watched(watched._lock, {"y": Bare("y")})
seen.clear()
watched.add("y", 1)
watched.take("y", 1)
assert seen == [True, True], "amounts change only while the lock is held"

assert group_by("apple avocado bean".split(), lambda word: word[0]) == {
    "a": ["apple", "avocado"], "b": ["bean"]
}  # fmt: skip
assert group_by(["x"], str.upper) == {"X": ["x"]}, "nothing is left of the call before"
groups = {}
assert group_by(["y"], str.upper, groups) is groups and groups == {"Y": ["y"]}
assert with_tag("a", "red").tags == ["red"]
assert with_tag("b", "blue").tags == ["blue"]
tags = []
assert with_tag("c", "x", tags).tags is tags
articles = [Article(name) for name in "aabbc"]
remove_discontinued(articles, {"a", "b"})
assert [article.name for article in articles] == ["c"]

one, other = Article("a", 5), Article("b", 1)
move(one, other, 2)
assert (one.amount, other.amount) == (3, 3)
move(one, other, 3)
with raises(OutOfStock):
    move(one, other, 1)
assert (one.amount, other.amount) == (0, 6)
assert rebalance(one, other) == 3 and (one.amount, other.amount) == (3, 3)
assert rebalance(one, other) == 0
one.amount = 8
assert rebalance(one, other) == 2 and (one.amount, other.amount) == (6, 5)
assert rebalance(one, other) == 0
assert discount(50, 10) == 45 and discount(10, 0) == 10 and discount(10, 100) == 0
for wrong in (-1, 101):
    with raises(ValueError):
        discount(10, wrong)
dear, cheap = Article("d", 1, 20.0), Article("c", 1, 10.0)
assert final_price(dear, {}) == 20.0
assert final_price(dear, {"member": True}) == 18.0
assert final_price(cheap, {"member": True}) == 10.0
assert final_price(dear, {"birthday": True}) == 19.0
assert final_price(dear, {"staff": True}) == 19.0
assert final_price(dear, {"member": True, "staff": True, "birthday": True}) == 17.0
assert final_price(Article("x", 1, 10.01), {"staff": True}) == 9.51
named = [Article("a"), Article("b")]
assert known_names(["b", "x", "a", "b"], named) == ["b", "a", "b"]
keys = [Key(number) for number in range(200)]
wide = [SimpleNamespace(name=key) for key in keys]
assert comparisons(lambda: known_names(keys, wide)) < 1000
assert missing(["x", "a", "x", "y"], ["a"]) == ["x", "y"]
assert comparisons(lambda: missing(keys, [])) < 1000
order = SimpleNamespace(total=10)
free = SimpleNamespace(total=0)
assert ship(order, "".join(["exp", "ress"])) == 25 and ship(order, "".join(["pick", "up"])) == 10
assert ship(order, "post") == 15 and ship(free, "post") == 0
assert ship(free, "express") == 15 and ship(free, "pickup") == 0

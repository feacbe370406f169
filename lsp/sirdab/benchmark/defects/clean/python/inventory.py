"""Goods on shelves, and the people who move them."""

import threading
from dataclasses import dataclass, field


class OutOfStock(Exception):
    """There is less of an article than was asked for."""


@dataclass
class Article:
    name: str
    amount: int = 0
    price: float = 0.0
    tags: list = field(default_factory=list)


class Inventory:
    def __init__(self):
        self._articles = {}
        self._lock = threading.Lock()

    def add(self, name, amount, price=None):
        if amount <= 0:
            raise ValueError("amount must be positive")
        with self._lock:
            article = self._articles.setdefault(name, Article(name))
            article.amount += amount
            if price is not None:
                article.price = price
        return article

    def take(self, name, amount):
        with self._lock:
            article = self._articles.get(name)
            if article is None or article.amount < amount:
                raise OutOfStock(name)
            article.amount -= amount
        return amount * article.price

    def price_of(self, name):
        with self._lock:
            article = self._articles.get(name)
        if article is None:
            return None
        return article.price

    def drop_empty(self):
        with self._lock:
            for name, article in list(self._articles.items()):
                if article.amount == 0:
                    del self._articles[name]
            return len(self._articles)

    def _all(self):
        with self._lock:
            return list(self._articles.values())

    def value(self):
        return sum(article.amount * article.price for article in self._all())

    def tagged(self, tag):
        return [article.name for article in self._all() if tag in article.tags]

    def cheapest(self):
        articles = self._all()
        if not articles:
            return None
        return min(articles, key=lambda article: article.price)


def group_by(items, key, groups=None):
    """Put items into lists by a key; lists of `groups` are added to."""
    if groups is None:
        groups = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


def with_tag(name, tag, tags=None):
    if tags is None:
        tags = []
    tags.append(tag)
    return Article(name, tags=tags)


def remove_discontinued(articles, discontinued):
    for article in list(articles):
        if article.name in discontinued:
            articles.remove(article)


def move(source, target, amount):
    if source.amount < amount:
        raise OutOfStock(source.name)
    source.amount -= amount
    target.amount += amount


def rebalance(source, target):
    """Even out two shelves; the source is the one that has more."""
    if source.amount < target.amount:
        source, target = target, source
    amount = (source.amount - target.amount) // 2
    if amount > 0:
        move(source, target, amount)
    return amount


def discount(price, percent):
    if not 0 <= percent <= 100:
        raise ValueError("percent must be between 0 and 100")
    return price * (1 - percent / 100)


def final_price(article, customer):
    percent = 0
    if customer.get("member") and article.price > 10:
        percent = 10
    if customer.get("birthday") or customer.get("staff"):
        percent += 5
    return round(discount(article.price, percent), 2)


def known_names(orders, articles):
    names = {article.name for article in articles}
    return [order for order in orders if order in names]


def missing(wanted, articles):
    """Return what is wanted and not there, in its order and without repetitions."""
    there = set(articles)
    gaps = []
    for name in wanted:
        if name not in there:
            there.add(name)
            gaps.append(name)
    return gaps


def ship(order, mode):
    if mode == "express":
        return order.total + 15
    if mode == "pickup":
        return order.total
    if order.total == 0:
        return 0
    return order.total + 5

"""The stock of a small workshop."""

from dataclasses import dataclass


@dataclass
class Item:
    """One kind of part on the shelf."""

    name: str
    quantity: int
    price: float

    def value(self) -> float:
        """Return what all parts of this kind are worth."""
        return self.quantity * self.price


class Inventory:
    """Everything on the shelves."""

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}

    def add(self, item: Item) -> None:
        """Put an item on the shelf, adding to what is there."""
        if item.name in self.items:
            self.items[item.name].quantity += item.quantity
        else:
            self.items[item.name] = item

    def remove(self, name: str, quantity: int) -> None:
        """Take parts from the shelf."""
        item = self.items[name]
        if item.quantity < quantity:
            raise ValueError("not enough parts")
        item.quantity -= quantity

    def total_value(self) -> float:
        """Return what the whole stock is worth."""
        return sum(item.value() for item in self.items.values())

    def is_empty(self) -> bool:
        """Say whether nothing is left."""
        return not self.items

"""What both checkers must report: each line marked `wrong` is one error.

For mypy the marks are its own ignores, of which an unused one is an error; pyright's errors are counted.
"""

from __future__ import annotations

from fsdf import BoosterParams, boost


@boost("sums")
def add(x: int, y: int = 1) -> int:
    return x + y


class Account:
    @boost("deposits")
    def deposit(self, amount: int) -> bool:
        return amount > 0


add.push()  # type: ignore[call-arg] # wrong
add.push("one")  # type: ignore[arg-type] # wrong
add.push(1, 2, 3)  # type: ignore[call-arg] # wrong
add.push(1, z=2)  # type: ignore[call-arg] # wrong
add.delay(y=2)  # type: ignore[call-arg] # wrong
add(x="one")  # type: ignore[arg-type] # wrong
number: str = add.push(1).get()  # type: ignore[assignment] # wrong
add.publish(5)  # type: ignore[arg-type] # wrong
Account().deposit.push("much")  # type: ignore[arg-type] # wrong
Account.deposit.push(5, 5)  # type: ignore[arg-type] # wrong
BoosterParams(queue_name=5)  # type: ignore[arg-type] # wrong
BoosterParams(queue_nam="sums")  # type: ignore[call-arg] # wrong
boost(5)  # type: ignore[arg-type] # wrong

"""What the model uses in one answer: reserved before each call, counted after it."""

from collections.abc import Collection, Mapping

from ..limit_table import Price
from .budget import log_if_budget
from .limits import Limits
from .measures import OverLimit, Use
from .reservation import Reservation

FREE = Price(input=0, output=0)


class AnswerUse:
    """The use of one answer. `reservation` holds `reserved` already, for the first call.

    A call that needs more, such as the next one after a tool, reserves that before it begins. So
    no call begins over a limit, however many an answer makes. `price` is that of the calls which
    name no other one.
    """

    def __init__(self, reservation: Reservation, reserved: Use, price: Price) -> None:
        self.used = Use(messages=reserved.messages, requests=reserved.requests)
        self.cached_tokens = 0
        """The part of the input that providers had kept from earlier requests."""
        self.fallback: str | None = None
        """The id of the model that has answered in place of the chosen one."""
        self._reservation = reservation
        self._reserved = reserved
        self._expected = Use()
        self._price = price

    async def begin_call(
        self, input_tokens: int, output_tokens: int, *, price: Price | None = None
    ) -> Use:
        """Reserve what a call may use at most, and return that. Raises `OverLimit`.

        One round trip when more is needed than is reserved, else none.
        """
        call = tokens_of(price or self._price, input_tokens, output_tokens)
        self._expected += call
        missing = (self._expected - self._reserved).positive()
        if missing == Use():
            return call
        self._reserved += missing
        try:
            await self._reservation.add(missing)
        except BaseException as error:
            self._reserved -= missing
            self._expected -= call
            if isinstance(error, OverLimit):
                log_if_budget(error)
            raise
        return call

    def end_call(
        self,
        call: Use,
        input_tokens: int,
        output_tokens: int,
        cached_tokens: int = 0,
        *,
        price: Price | None = None,
    ) -> None:
        """Count what a call has used in place of what it might have."""
        used = tokens_of(price or self._price, input_tokens, output_tokens, cached_tokens)
        self.used += used
        self.cached_tokens += cached_tokens
        self._expected += used - call

    def notice(self) -> str | None:
        """See `Reservation.notice`."""
        return self._reservation.notice(self.used)

    async def settle(self, *, began: bool) -> None:
        """Count what was used; a request alone when the answer never began."""
        await self._reservation.settle(self.used if began else Use(requests=1))


def tokens_of(price: Price, input_tokens: int, output_tokens: int, cached_tokens: int = 0) -> Use:
    """Tokens and what they cost."""
    return Use(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        microdollars=price.microdollars(input_tokens, output_tokens, cached_tokens),
    )


def check_prices(limits: Limits, prices: Mapping[str, Price], models: Collection[str]) -> None:
    """Raise `ValueError` when dollars are limited and a model has no price."""
    missing = sorted(set(models) - prices.keys())
    if missing and limits.has("dollars_per_day"):
        raise ValueError(
            f"CHATKIT_PRICES: {', '.join(missing)} has no price, and dollars_per_day needs one for "
            "each model"
        )

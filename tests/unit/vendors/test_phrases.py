"""Ways of speaking that are in no document, each known by words of its kind."""

from __future__ import annotations

import pytest

from bellhop.vendors.phrases import (
    CAPTCHA,
    CRASHED,
    CREDENTIALS,
    LATER,
    LIMIT,
    THROTTLED,
    VALIDATOR,
    Phrase,
    find_phrase,
    normal,
)

SAID: dict[Phrase | None, str] = {
    THROTTLED: """
        Too many requests
        API rate limit exceeded
        Daily limit of API requests reached
        You have exceeded your allowed requests
        Only 5 requests per second are allowed
    """,
    CREDENTIALS: """
        Access denied
        Your session has expired
        Token is invalid
        Invalid token
        token has lapsed
        Wrong API key
        Invalid API Key provided
        The user name or password is incorrect.
        Login failed
        Bad credentials
        Authentication failed
        Could not authenticate
        Unauthorized
        You are not authorised to use this API
        Access to this company is denied
        Please log in again
        The remote server returned an error: (401) Unauthorized.
    """,
    CRASHED: """
        The operation has timed out
        Object reference not set to an instance of an object.
        Timeout expired.  The timeout period elapsed prior to completion of the operation
        Value cannot be null. (Parameter 'source')
        Index was outside the bounds of the array.
        Sequence contains no elements
        The given key 'x' was not present in the dictionary.
        A task was canceled.
        The underlying connection was closed: the server closed a connection that was to be kept.
        Unable to connect to the remote server
        The remote server returned an error: (500) Internal Server Error.
        Input string was not in a correct format.
        Unexpected character encountered while parsing value: <. Path '', line 0, position 0.
        Exception of type 'System.Web.HttpUnhandledException' was thrown.
        An error occurred, please try again later
        Violation of PRIMARY KEY constraint 'PK_x'. Cannot insert duplicate key in object
        Transaction (Process ID 52) was deadlocked on lock resources
        SQLSTATE[40001]: Serialization failure
        at Booking.Create(Offer offer) in c:/src/Booking.cs:line 42
    """,
    LATER: """
        Please try again later
        Service is temporarily unavailable
        Down for maintenance
        The server is busy
        Try again in a few minutes
    """,
    CAPTCHA: """
        Captcha is required
        <b>Please confirm</b> that you are not a robot
    """,
    LIMIT: """
        You have reached the limit of bookings per day
        Too many bookings from your IP address
        You can\u2019t book more than 3 appointments
    """,
    VALIDATOR: """
        External Booking Validator: phone is not one of ours
        Phone is not valid
        Party size must be between 2 and 8
    """,
    None: """
        Sorry, members only
        No availability
        Selected provider is not available, please try again
        The service is not available on that day
        The selected session is full
        Booking is not permitted for this member
        All days with the exception of Sundays
    """,
}
LINES = [(line.strip(), phrase) for phrase, lines in SAID.items() for line in lines.strip().splitlines()]


@pytest.mark.parametrize(("words", "phrase"), LINES)
def test_what_is_meant_is_known_by_the_words(words: str, phrase: Phrase | None) -> None:
    for spelled in (words, words.upper(), f"  {words}\n"):
        found = find_phrase(normal(spelled))
        assert (found and found.title) == (phrase and phrase.title), spelled

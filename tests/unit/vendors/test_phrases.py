"""Ways of speaking that are in no document, each known by words of its kind."""

from __future__ import annotations

import re

import pytest

from bellhop.vendors.phrases import (
    CAPTCHA,
    CRASHED,
    CREDENTIALS,
    LATER,
    LIMIT,
    SLOT,
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
        Request rate is too high
        Daily quota exceeded
        Maximum number of requests exceeded
        You are sending requests too fast
        RATE_LIMIT_EXCEEDED
        TooManyRequests
        Excessive API usage
        You are being rate limited
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
        Invalid X-Token
        No token provided
        Session closed
        Please obtain a new token
        The token you supplied cannot be used
        Token does not belong to company
        You must be logged in
        You have been logged out
        403 Forbidden
        HTTP 401
        jwt malformed
        Company is blocked
        Account has been deactivated
        API access disabled
        IP address is not whitelisted
        invalid_token
        token-expired
        AccessDenied
        Authorization has been denied for this request.
        Login was not successful
        No such company
        Invalid pass
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
        A connection attempt failed because the connected party did not properly respond
        Arithmetic operation resulted in an overflow.
        The INSERT statement conflicted with the FOREIGN KEY constraint
        Invalid column name 'x'
        No connection could be made because the target machine actively refused it
        Error processing request
        Failed to save reservation
        Response took too long
        Upstream error
        There is already an open DataReader associated with this Command which must be closed first.
        Value was either too large or too small for an Int32.
        at Booking.Create(Offer offer) in c:/src/Booking.cs:line 42
    """,
    LATER: """
        Please try again later
        Service is temporarily unavailable
        Down for maintenance
        The server is busy
        Try again in a few minutes
        Please wait and try again
        The service is unavailable.
        Too busy, come back later
        Bookings is offline
    """,
    CAPTCHA: """
        Captcha is required
        <b>Please confirm</b> that you are not a robot
        Captcha token is invalid
        Please prove you are human
    """,
    LIMIT: """
        You have reached the limit of bookings per day
        Too many bookings from your IP address
        You can\u2019t book more than 3 appointments
        Max bookings per client reached
        Only 2 bookings per day
    """,
    VALIDATOR: """
        External Booking Validator: phone is not one of ours
        Phone is not valid
        Party size must be between 2 and 8
        Booking is not permitted for this member
        Membership required
        Guest has an unpaid balance
        Member is not eligible for this service
        The therapist is not qualified for this treatment
        Your membership has expired
        Client is blocked
        The member's account is suspended
        Facility not found
        The price of the offer has changed
        Please select a location first
    """,
    SLOT: """
        No availability
        Selected provider is not available, please try again
        The service is not available on that day
        The selected session is full
        This slot has already been booked
        Therapist is on vacation
        Booking too far ahead
        No therapist can be found
        Room is occupied
        Reservation conflicts with another reservation
    """,
    None: """
        Sorry, members only
        All days with the exception of Sundays
    """,
}
LINES = [(line.strip(), phrase) for phrase, lines in SAID.items() for line in lines.strip().splitlines()]


@pytest.mark.parametrize(("words", "phrase"), LINES)
def test_what_is_meant_is_known_by_the_words(words: str, phrase: Phrase | None) -> None:
    for spelled in (words, words.upper() if re.search("[ _]", words) else words, f"  {words}\n"):
        found = find_phrase(normal(spelled))
        assert (found and found.title) == (phrase and phrase.title), spelled

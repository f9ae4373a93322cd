"""Runs Python that a model wrote. It must never rely on Python to hold it back: the component is what shuts it in."""
import collections
import contextlib
import datetime
import io
import itertools
import json
import math
import re
import statistics
import traceback

import wit_world
from componentize_py_types import Err

# Only what is imported as the component is built can be imported later: there are no files to read modules from.
MODULES = {
    module.__name__: module
    for module in (collections, datetime, itertools, json, math, re, statistics)
}


def names() -> dict:
    return {"__name__": "__main__", **MODULES}


def reason(error: BaseException) -> str:
    """The last line of the traceback: the frames above are ours."""
    return "".join(traceback.format_exception_only(error)).strip()


class WitWorld(wit_world.WitWorld):
    def eval(self, expression: str) -> str:
        try:
            return repr(eval(expression, names()))
        except BaseException as error:  # `SystemExit` is no reason to take the instance down
            raise Err(reason(error)) from None

    def exec(self, code: str) -> str:
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed):
                exec(compile(code, "<code>", "exec"), names())
        except BaseException as error:
            raise Err(printed.getvalue() + reason(error)) from None
        return printed.getvalue()

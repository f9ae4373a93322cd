// Tells the time. It must never depend on an engine: it runs on StarlingMonkey and on QuickJS, which has no Intl.

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY_MILLIS = 86_400_000;
// What a JavaScript date can hold, in seconds.
const LAST_SECOND = 8_640_000_000_000;

const padded = (number, width = 2) => String(number).padStart(width, "0");

const PARTS = {
  "%Y": (date) => padded(date.getUTCFullYear(), 4),
  "%m": (date) => padded(date.getUTCMonth() + 1),
  "%d": (date) => padded(date.getUTCDate()),
  "%H": (date) => padded(date.getUTCHours()),
  "%M": (date) => padded(date.getUTCMinutes()),
  "%S": (date) => padded(date.getUTCSeconds()),
  "%a": (date) => DAYS[date.getUTCDay()],
  "%b": (date) => MONTHS[date.getUTCMonth()],
  "%j": (date) => padded(Math.floor((date - Date.UTC(date.getUTCFullYear(), 0, 1)) / DAY_MILLIS) + 1, 3),
  "%%": () => "%",
};

export function getCurrentTime() {
  return new Date().toISOString().replace(/\.\d+Z$/, "Z");
}

// A thrown text is the `err` of the function's `result`.
export function formatTimestamp(seconds, format) {
  // A `u64` comes as a BigInt from one engine and as a number from the other.
  const moment = Number(seconds);
  // Beyond 2^63 QuickJS takes it for a negative one.
  if (moment < 0 || moment > LAST_SECOND) throw "the moment lies beyond the year 275760";
  const date = new Date(moment * 1000);
  return format.replace(/%(.?)/gsu, (part) => {
    if (!Object.hasOwn(PARTS, part)) throw `the format has no part \`${part}\``;
    return PARTS[part](date);
  });
}

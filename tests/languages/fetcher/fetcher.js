// Fetches as a web page would. It must never know where it may go: that is the host's to say.

export async function fetchText(url) {
  try {
    const response = await fetch(url);
    return `${response.status} ${await response.text()}`;
  } catch (error) {
    // A thrown text is the `err` of the function's `result`.
    throw `${error}`;
  }
}

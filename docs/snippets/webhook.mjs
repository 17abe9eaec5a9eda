// node webhook.mjs send URL SECRET ID FILE                       posts an event
// node webhook.mjs status URL SECRET ID                          asks where it stands
// node webhook.mjs verify SECRET ID TIMESTAMP SIGNATURES FILE    checks a result that was posted to you
import { createHmac, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";

export function sign(secret, id, timestamp, body) {
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  return "v1," + createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest("base64");
}

export async function ask(url, secret, id, body) {
  const now = String(Math.floor(Date.now() / 1000));
  const headers = {
    "content-type": "application/json",
    "webhook-id": id,
    "webhook-timestamp": now,
    "webhook-signature": sign(secret, id, now, body ?? ""),
  };
  const answer = await fetch(url, { method: body ? "POST" : "GET", headers, body });
  return [await answer.text(), answer.status];
}

export function verify(secret, id, timestamp, signatures, body) {
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > 300) return false;
  const wanted = Buffer.from(sign(secret, id, timestamp, body));
  return signatures
    .split(" ")
    .map((given) => Buffer.from(given))
    .some((given) => given.length === wanted.length && timingSafeEqual(given, wanted));
}

const [act, ...words] = process.argv.slice(2);
if (act === "verify") {
  const isGood = verify(...words.slice(0, 4), readFileSync(words[4]));
  console.log(isGood ? "good" : "bad");
  process.exitCode = isGood ? 0 : 1;
} else if (act) {
  const [text, status] = await ask(...words.slice(0, 3), act === "send" ? readFileSync(words[3]) : undefined);
  console.log(`${text}\n${status}`);
}

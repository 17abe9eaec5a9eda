// Books with one of two public JSON-RPC clients: node clients.mjs jayson|open-rpc URL DAY UNIT. Prints what it was told.
import { createHash } from "node:crypto";

import { Client, HTTPTransport, RequestManager } from "@open-rpc/client-js";
import jayson from "jayson";

const [, , library, url, day, unit] = process.argv;

function openRpc(path, headers) {
  const client = new Client(new RequestManager([new HTTPTransport(url + path, { headers })]));
  return (method, params) => client.request({ method, params });
}

function withJayson(path, headers) {
  const client = jayson.client.http({ ...parts(path), headers });
  return (method, params) =>
    new Promise((resolve, reject) =>
      client.request(method, params, (failure, answer) =>
        failure || answer.error ? reject(failure ?? answer.error) : resolve(answer.result),
      ),
    );
}

function parts(path) {
  const { hostname, port } = new URL(url);
  return { hostname, port, path };
}

const connect = library === "jayson" ? withJayson : openRpc;
const token = await connect("/login", {})("getToken", ["sandbox", "sandbox-api-key"]);
const call = connect("/", { "X-Company-Login": "sandbox", "X-Token": token });

const events = await call("getEventList", []);
const starts = await call("getStartTimeMatrix", [day, day, "7", unit, 1]);
const guest = { name: "Ann Example", email: "ann@example.com", phone: "+38099999999" };
const booking = ["7", unit, day, starts[day][0], guest, {}, 1, null];
const { bookings } = await call("book", booking);
const sign = createHash("md5").update(bookings[0].id + bookings[0].hash + "sandbox-secret-key").digest("hex");
const details = await call("getBookingDetails", { sign, id: bookings[0].id });
const refusal = await call("book", booking).then(
  () => null,
  ({ code, message }) => ({ code, message }),
);
console.log(JSON.stringify({ event: events["7"].name, id: bookings[0].id, code: details.booking_code, refusal }));
process.exit(0);

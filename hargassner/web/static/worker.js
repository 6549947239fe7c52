// Keeps the page itself, and the last charts, for when the bridge cannot be reached. What comes from
// the bridge always goes first: nothing old is shown while it answers.
"use strict";

const CACHE = "hargassner";
const KEPT = /\/(?:[\w-]+\.(?:js|css|svg|png|webmanifest))?$|\/api\/(?:history|consumption\?by=\w+)$/;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.add("./")).then(() => self.skipWaiting()));
});
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

const answered = async (request) => {
  const cache = await caches.open(CACHE);
  try {
    const answer = await fetch(request);
    if (answer.ok) await cache.put(request, answer.clone());
    return answer;
  } catch (wrong) {
    const old = await cache.match(request, { ignoreVary: true });
    if (old) return old;
    throw wrong;
  }
};

self.addEventListener("fetch", (event) => {
  const address = new URL(event.request.url);
  const own = address.origin === self.location.origin && event.request.method === "GET";
  if (own && KEPT.test(address.pathname + address.search)) event.respondWith(answered(event.request));
});

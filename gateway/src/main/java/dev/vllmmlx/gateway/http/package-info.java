/**
 * The HTTP server: routes, keys, limits, health, shutting down. The only room that knows paths and
 * headers; what a request means is the dialects', and answering it the pipeline's.
 */
package dev.vllmmlx.gateway.http;

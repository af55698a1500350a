/**
 * From a decoded call to events of its choices and back to a reply: the one way that every API
 * dialect takes. Knows the SPI and HTTP responses, but no dialect's JSON.
 */
package dev.vllmmlx.gateway.pipeline;

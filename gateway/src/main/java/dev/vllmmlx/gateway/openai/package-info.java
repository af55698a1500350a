/**
 * OpenAI's dialects, chat completions and completions: each a decoder of requests and an encoder of
 * replies, and nothing else. A field is read in one place, with its range and what it means.
 */
package dev.vllmmlx.gateway.openai;

/**
 * Chat templates: the Jinja engine with the settings and functions that published templates expect
 * (those of the Python library transformers), and what turns a chat into a prompt's text.
 *
 * <p>May be touched: what a template finds besides its variables ({@link
 * dev.vllmmlx.text.chat.ChatTemplate}), and the shape that messages are given to it in. The
 * language itself is in {@code dev.vllmmlx.text.jinja}.
 */
package dev.vllmmlx.text.chat;

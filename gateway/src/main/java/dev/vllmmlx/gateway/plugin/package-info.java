/**
 * Finds engines: on the class path, and in the folders of {@code --plugins-dir}, each with a class
 * loader of its own. The only room of the gateway that knows class loaders.
 */
package dev.vllmmlx.gateway.plugin;

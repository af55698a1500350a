/** Starts the distribution as a user does, for tests that talk to it from outside. */
package dev.vllmmlx.tests;

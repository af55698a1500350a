package dev.vllmmlx.gateway.bench;

import java.net.URI;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * A load on one server.
 *
 * @param url where the server is, without {@code /v1}
 * @param concurrency levels that are measured one after the other: so many requests at once
 * @param requests at each level
 * @param promptTokens about how long a prompt is
 * @param maxTokens tokens of each answer
 * @param sharedPrefix the part of a prompt that all have in common, from 0 to 1
 * @param rate arrivals a second, at random (Poisson); empty where the next request starts when one
 *     ends
 * @param chat whether chat completions are asked, else text completions
 * @param timeout seconds for one request
 */
public record LoadPlan(
    URI url,
    Optional<String> model,
    Optional<String> apiKey,
    List<Integer> concurrency,
    int requests,
    int warmUp,
    int promptTokens,
    int maxTokens,
    double sharedPrefix,
    OptionalDouble rate,
    boolean chat,
    long seed,
    int timeout) {}

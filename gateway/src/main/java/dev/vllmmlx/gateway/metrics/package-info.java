/**
 * What a monitoring system reads: counts and times of calls as the pipeline tells them, and the
 * engine's own gauges, in the text format of Prometheus. Knows Micrometer, and no HTTP.
 */
package dev.vllmmlx.gateway.metrics;

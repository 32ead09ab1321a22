"""API priority and fairness: who is served now, who waits, and who is turned away.

    request ── classification ── priority level ── queue of its flow ── seat ── handler
                    ▲                  ▲
              FlowSchemas   PriorityLevelConfigurations (follower.py keeps both current)

FlowControl is what the HTTP edge calls. Everything that decides is pure: classification,
shuffle_sharding, queue_set, seat_allocation, seat_demand, work_estimate, retry_after. Source: API
priority and fairness of Kubernetes v1.35.
"""

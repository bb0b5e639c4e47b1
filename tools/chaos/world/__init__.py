"""Clients, an office and a recorder: what lives in the service while faults strike.

    recorder = Recorder(path, clock)
    canaries = Canaries(secrets_path)
    world = World(base_url=..., pool=UserPool(cognito, pool_id), office=connect, recorder=recorder,
                  canaries=canaries, rng=random.Random(seed), clients=8)
    world.prepare(); world.start(); ...; world.stop(); world.settle(within_seconds=120)

`connect` gives a connection as `billing_operator`, straight to the database. Nothing here imports
the service: clients know its HTTP contract, the office its functions in the schema `api`.
"""

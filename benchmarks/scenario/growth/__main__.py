from benchmarks.scenario.growth import main

main()

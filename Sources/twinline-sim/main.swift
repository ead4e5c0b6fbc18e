import SimulatorCommand

TwinlineSim.main()

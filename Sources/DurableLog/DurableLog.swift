// DurableLog
